/* GET /settings; see web_settings.h. */
#include "web/web_settings.h"

#include <string.h>

#include "core/calendar.h"
#include "web/web_api.h"
#include "web/web_messages.h"
#include "web/web_private.h"

void web_handle_settings(struct web_request *request, const struct web_route *route)
{
    const struct ates_config *config = &request->web->config;
    struct ates_text roles[ATES_ROLE_COUNT];
    struct web_show_settings_result result = {
        .version = ates_text_from(ATES_VERSION),
        .time_zone = ates_text_from(config->time_zone),
        .business_date =
            ates_day_text(request->arena, ates_day_at(ates_now_ms(&request->web->source))),
        .open_roles = {.items = roles},
    };

    if (!web_api_takes_nothing(request, route)) {
        return;
    }
    for (const char *word = config->open_roles;
         *word != '\0' && result.open_roles.count < ATES_ROLE_COUNT;) {
        const size_t size = strcspn(word, ",");

        roles[result.open_roles.count++] = (struct ates_text){word, size};
        word += size + (word[size] == ',');
    }
    web_respond_message(request, route->success, &web_show_settings_result_message, &result, NULL,
                        0);
}
