/* Every followed event of every service is held against its field table when it is taken in: one that
 * lacks a field or has another type in it is a dead letter, never an effect; one with a field more is
 * taken. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/calendar.h"
#include "domains.h"
#include "support/engine_fixture.h"

#define FIELDS_MAX 16u
#define TEXT_MAX 64u

static struct fixture fixture;

TestSuite(followed, .timeout = 120);

static void fill(const struct ates_message *message, uint8_t *value);

/* The least that the field takes; whether the event then makes sense is its service's to say. */
static void fill_field(const struct ates_field *field, uint8_t *member)
{
    static const char *const texts[] = {
        [ATES_RULE_EMAIL] = "a@b", [ATES_RULE_DATE] = "2024-02-29", [ATES_RULE_ISSUE] = "A-1"};
    const bool is_formed = field->rule < sizeof texts / sizeof texts[0] && texts[field->rule];

    switch (field->type) {
    case ATES_UINT:
    case ATES_INT:
        *(int64_t *)member = field->min > 0 ? field->min : 1;
        break;
    case ATES_ENUM:
        *(int *)member = field->names[0] == NULL;
        break;
    case ATES_TEXT:
        cr_assert_leq(field->min, TEXT_MAX);
        *(struct ates_text *)member =
            is_formed ? ates_text_from(texts[field->rule])
                      : (struct ates_text){
                            memset(ates_arena_alloc(fixture.arena, TEXT_MAX), 'a', TEXT_MAX),
                            (size_t)field->min};
        break;
    case ATES_STRUCT:
        fill(field->message, member);
        break;
    default:
        cr_assert_eq(field->type, ATES_BOOL, "%s", field->name);
    }
}

static void fill(const struct ates_message *message, uint8_t *value)
{
    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];

        if (field->optional) {
            *(bool *)(value + field->present) = true;
        }
        fill_field(field, value + field->offset);
    }
}

/* The event by a table that is not its own; why it was refused, "" where it was not. */
static const char *send(const struct ates_follow *follow, const struct ates_field *fields,
                        size_t count, const uint8_t *value)
{
    const struct ates_message message = {
        .name = follow->event->name, .fields = fields, .count = count, .size = follow->event->size};

    fixture.refusal.reason[0] = '\0';
    fixture_follow(&fixture, follow->producer, &message, follow->version, FIXTURE_TIME, value);
    return fixture.refusal.reason;
}

static void look_at(const struct ates_follow *follow)
{
    const struct ates_message *event = follow->event;
    const size_t spare = (event->size + 7) / 8 * 8; /* zeros of any type, behind the value */
    uint8_t *value = ates_arena_alloc(fixture.arena, spare + sizeof(uint64_t));
    struct ates_field fields[FIELDS_MAX];

    cr_assert_lt(event->count, FIELDS_MAX);
    fill(event, value);
    memset(value + spare, 0, sizeof(uint64_t));
    for (size_t i = 0; i < event->count; i++) {
        const uint64_t head = fixture_head(&fixture);

        memcpy(fields, event->fields, event->count * sizeof fields[0]);
        fields[i].type = event->fields[i].type == ATES_BOOL ? ATES_UINT : ATES_BOOL;
        fields[i].offset = (uint32_t)spare;
        cr_expect_str_eq(send(follow, fields, event->count, value), "FIELD_INVALID", "%s.%s.%s",
                         follow->producer, event->name, fields[i].name);
        memcpy(fields, event->fields, i * sizeof fields[0]);
        memcpy(fields + i, event->fields + i + 1, (event->count - i - 1) * sizeof fields[0]);
        if (!event->fields[i].optional) {
            cr_expect_str_eq(send(follow, fields, event->count - 1, value), "FIELD_MISSING",
                             "%s.%s without %s", follow->producer, event->name,
                             event->fields[i].name);
        }
        cr_expect_eq(fixture_head(&fixture), head, "nothing came of it");
    }
    memcpy(fields, event->fields, event->count * sizeof fields[0]);
    fields[event->count] =
        (struct ates_field){.name = "of_later", .type = ATES_BOOL, .offset = (uint32_t)spare};
    cr_expect(strncmp(send(follow, fields, event->count + 1, value), "FIELD_", 6) != 0,
              "%s.%s with a field of later: %s", follow->producer, event->name,
              fixture.refusal.message);
}

Test(followed, events_are_held_against_their_tables)
{
    size_t count = 0;

    cr_assert_eq(ates_calendar_open("Europe/Moscow"), 0);
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        for (size_t j = 0; j < ates_domains[i]->follow_count; j++) {
            fixture_open(&fixture, ates_domains[i]);
            look_at(&ates_domains[i]->follows[j]);
            fixture_check_rebuild(&fixture);
            fixture_close(&fixture);
            count++;
        }
    }
    cr_expect_gt(count, 10);
}
