/* The page's files, built into the daemon: /, /assets/HASH/NAME (immutable), /favicon.ico. Any
 * other path that a browser asks for as a page gets the page too, which shows what the path names. */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include "web/web_request.h"

/* One file, made at build time by embed.py. */
struct web_asset {
    const char *path; /* "/assets/3f2a.../app.js" */
    const char *content_type;
    const char *etag;              /* with its quotes */
    struct ates_bytes plain, gzip; /* gzip.size 0: it would not be smaller */
    bool is_immutable;
};
extern const struct web_asset web_assets[]; /* sorted by path */
extern const size_t web_asset_count;
extern const char web_content_security_policy[]; /* of the page */

/* Answers with the file of the request's path; whether there was one. */
bool web_handle_asset(struct web_request *request);

#endif
