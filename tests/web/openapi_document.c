/* Prints the OpenAPI document, for openapi.test.mjs. */
#include <stdio.h>

#include "web/web_openapi.h"

int main(void)
{
    struct ates_buffer text = {0};

    web_openapi_write(&text);
    const bool written = fwrite(text.data, 1, text.size, stdout) == text.size;
    ates_buffer_release(&text);
    return written && fflush(stdout) == 0 ? 0 : 1;
}
