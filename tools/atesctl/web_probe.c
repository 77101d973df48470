/* The web service's readiness; see web_probe.h. */
#include "web_probe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "core/file.h"

static size_t drop(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

/* RUN/web.address, as the web service writes it at its start. */
static bool read_address(const struct ates_config *config, char out[160])
{
    char path[sizeof config->run_dir + 32], why[sizeof path + 64];

    snprintf(path, sizeof path, "%s/web.address", config->run_dir);
    const int file = ates_file_open(path, why, sizeof why);
    const ssize_t size = file >= 0 ? read(file, out, 159) : -1;

    if (file >= 0) {
        close(file);
    }
    out[size > 0 ? size : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return out[0] != '\0';
}

static int ask(const char *url, int64_t timeout_ms, char *why, size_t size)
{
    CURL *request = curl_easy_init();
    long status = -1;

    if (request == NULL) {
        snprintf(why, size, "cannot make a request");
        return -1;
    }
    curl_easy_setopt(request, CURLOPT_URL, url);
    curl_easy_setopt(request, CURLOPT_PROTOCOLS_STR, "http"); /* the file may say anything */
    curl_easy_setopt(request, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(request, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, drop);
    const CURLcode r = curl_easy_perform(request);
    if (r == CURLE_OK) {
        curl_easy_getinfo(request, CURLINFO_RESPONSE_CODE, &status);
    }
    snprintf(why, size, "%s: %s", url, r == CURLE_OK ? "answers" : curl_easy_strerror(r));
    curl_easy_cleanup(request);
    return (int)status;
}

int ctl_web_probe(const struct ates_config *config, int64_t timeout_ms, char *why, size_t size)
{
    char address[160], url[sizeof address + 32];

    if (!read_address(config, address)) {
        return 0;
    }
    snprintf(url, sizeof url, "%s/readyz", address);
    return ask(url, timeout_ms, why, size);
}
