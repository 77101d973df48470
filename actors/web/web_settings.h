/* GET /settings: what a page must know before anybody is signed in. */
#ifndef WEB_SETTINGS_H
#define WEB_SETTINGS_H

#include "web/web_route.h"

void web_handle_settings(struct web_request *request, const struct web_route *route);

#endif
