/* Business dates, from the process's time zone by way of libc.
 *
 * Invariant: days partition time. ates_day_at(t) is the one day with
 * ates_day_start(day) <= t < ates_day_start(day + 1), and never decreases as time passes. A day
 * begins when the local date first reaches it: where the clock falls back across midnight, the hour
 * that it repeats belongs to the new day already, or a closed day would come back. A date that the
 * zone skipped is an empty day. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ates/message.h>

#include "core/calendar.h"

#define ZONE_DIR "/usr/share/zoneinfo/"
#define ZONE_NAME_MAX 63u

#define DAY_S INT64_C(86400)
/* No zone has ever been this far from UTC (the furthest: Manila before 1844, 15:56:08). */
#define OFFSET_LIMIT_S (INT64_C(16) * 3600)
/* No zone has changed its offset and changed it back within this time. */
#define OFFSET_STEP_S (INT64_C(4) * 3600)

/* Counts calls of ates_calendar_open, so that no thread trusts a day of an earlier zone. */
static unsigned zone_generation;

/* The day that this thread asked for last: nearly every call is about today. */
static _Thread_local struct {
    unsigned generation;
    ates_day day;
    int64_t start_ms, end_ms;
} last;

bool ates_time_zone_exists(const char *name)
{
    /* Without dots there is no way up; the zones below right/ count leap seconds, which Unix time
     * does not. */
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    const size_t length = strnlen(name, ZONE_NAME_MAX + 1);
    if (length == 0 || length > ZONE_NAME_MAX || name[0] == '/' ||
        strspn(name, allowed) != length || strncmp(name, "right/", strlen("right/")) == 0) {
        return false;
    }

    char path[sizeof ZONE_DIR + ZONE_NAME_MAX];
    snprintf(path, sizeof path, ZONE_DIR "%s", name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return false;
    }
    char magic[4]; /* RFC 8536, section 3.1 */
    const bool is_zone = read(fd, magic, sizeof magic) == (ssize_t)sizeof magic &&
                         memcmp(magic, "TZif", sizeof magic) == 0;
    close(fd);
    return is_zone;
}

int ates_calendar_open(const char *time_zone)
{
    if (!ates_time_zone_exists(time_zone)) {
        return -ENOENT;
    }
    /* By its path, so that libc reads the very file that was checked, whatever TZDIR says. */
    char zone[sizeof ":" ZONE_DIR + ZONE_NAME_MAX];
    snprintf(zone, sizeof zone, ":" ZONE_DIR "%s", time_zone);
    if (setenv("TZ", zone, 1) != 0) {
        return -errno;
    }
    tzset();
    zone_generation++;
    return 0;
}

static int64_t divide_down(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* Local time minus UTC. */
static int64_t offset_at(int64_t time_s)
{
    const time_t time = time_s;
    struct tm local;
    const struct tm *done = localtime_r(&time, &local);
    assert(done != NULL);
    return local.tm_gmtoff;
}

/* The first second in (from, to] with another offset than from's; to + 1 where there is none. */
static int64_t next_change(int64_t from, int64_t to, int64_t offset)
{
    while (from < to) {
        const int64_t next = from + OFFSET_STEP_S < to ? from + OFFSET_STEP_S : to;
        if (offset_at(next) == offset) {
            from = next;
            continue;
        }
        int64_t same = from, other = next;
        while (other - same > 1) {
            const int64_t middle = same + (other - same) / 2;
            if (offset_at(middle) == offset) {
                same = middle;
            } else {
                other = middle;
            }
        }
        return other;
    }
    return to + 1;
}

/* The first second at which the local clock shows this time or a later one: seconds since 1970 as
 * the clock counts them. */
static int64_t first_at(int64_t local)
{
    for (int64_t time = local - OFFSET_LIMIT_S;;) {
        const int64_t offset = offset_at(time);
        const int64_t crossing = local - offset;
        if (crossing <= time) {
            return time; /* the change at this second took the clock past it */
        }
        const int64_t change = next_change(time, crossing, offset);
        if (change > crossing) {
            return crossing;
        }
        time = change;
    }
}

/* The first second whose local date is this day or a later one. */
static int64_t start_of(int64_t day)
{
    return first_at(day * DAY_S);
}

ates_day ates_day_at(int64_t time_ms)
{
    assert(time_ms >= -ATES_INTEGER_MAX && time_ms <= ATES_INTEGER_MAX);
    if (last.generation == zone_generation && time_ms >= last.start_ms && time_ms < last.end_ms) {
        return last.day;
    }
    const int64_t time_s = divide_down(time_ms, 1000);
    int64_t day = divide_down(time_s + offset_at(time_s), DAY_S);
    int64_t end = start_of(day + 1);
    while (end <= time_s) { /* the clock fell back across midnight, or skipped a date */
        day++;
        end = start_of(day + 1);
    }
    last.generation = zone_generation;
    last.day = (ates_day)day;
    last.start_ms = start_of(day) * 1000;
    last.end_ms = end * 1000;
    return last.day;
}

int64_t ates_day_start(ates_day day)
{
    return start_of(day) * 1000;
}

int64_t ates_day_time(ates_day day, int64_t after_midnight_ms)
{
    assert(after_midnight_ms >= 0 && after_midnight_ms < DAY_S * 1000);
    const int64_t local = day * DAY_S + after_midnight_ms / 1000;
    const int64_t time = first_at(local);
    /* Where the clock jumped past it, its fraction of a second was skipped as well. */
    return time * 1000 + (time + offset_at(time) == local ? after_midnight_ms % 1000 : 0);
}

void ates_day_format(ates_day day, char out[ATES_DATE_SIZE])
{
    const time_t midnight = day * DAY_S;
    struct tm date;
    const struct tm *done = gmtime_r(&midnight, &date);
    assert(done != NULL);
    const size_t length = strftime(out, ATES_DATE_SIZE, "%F", &date);
    assert(length == ATES_DATE_SIZE - 1);
}

int ates_day_parse(const char *text, size_t size, ates_day *day)
{
    static const char form[] = "dddd-dd-dd";
    int parts[3] = {0}, part = 0;

    if (size != strlen(form)) {
        return -EINVAL;
    }
    for (size_t i = 0; i < size; i++) {
        if (form[i] == '-' && text[i] == '-') {
            part++;
        } else if (form[i] == 'd' && text[i] >= '0' && text[i] <= '9') {
            parts[part] = parts[part] * 10 + (text[i] - '0');
        } else {
            return -EINVAL;
        }
    }
    struct tm date = {.tm_year = parts[0] - 1900, .tm_mon = parts[1] - 1, .tm_mday = parts[2]};
    const time_t midnight = timegm(&date);
    /* timegm takes 30 February for 1 or 2 March: a day that exists comes back as it was. */
    if (parts[0] < 1970 || date.tm_mon != parts[1] - 1 || date.tm_mday != parts[2]) {
        return -EINVAL;
    }
    *day = (ates_day)(midnight / DAY_S);
    return 0;
}

ates_day ates_day_of(struct ates_text date)
{
    ates_day day = 0;
    const int r = ates_day_parse(date.data, date.size, &day);

    assert(r == 0);
    return day;
}

struct ates_text ates_day_text(struct ates_arena *arena, ates_day day)
{
    char *date = ates_arena_alloc(arena, ATES_DATE_SIZE);

    ates_day_format(day, date);
    return (struct ates_text){date, ATES_DATE_SIZE - 1};
}
