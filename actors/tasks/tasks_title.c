/* A task's name taken apart into an issue's id and a title, and put together again (ates/tasks.h).
 * Invariants: what split gives is within the limits of jira_id and title for every name; and what
 * join made of such an id and title is taken apart into the same, where it was not cut. */
#include <string.h>

#include <ates/tasks.h>

#include "core/text.h"

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\n';
}

static bool is_jira_id(struct ates_text text)
{
    size_t characters;

    return text.size >= TASKS_JIRA_ID_MIN && text.size <= TASKS_JIRA_ID_MAX &&
           ates_text_scan(text, ATES_RULE_ISSUE, &characters) == NULL;
}

/* Notes the id at the name's beginning, if it is one, and what follows it. */
static void take_jira_id(struct ates_text name, struct tasks_title *title)
{
    const char *close =
        name.size > 0 && name.data[0] == '[' ? memchr(name.data, ']', name.size) : NULL;
    const struct ates_text id = {name.data + 1,
                                 close != NULL ? (size_t)(close - name.data) - 1 : 0};
    size_t start = id.size + 2;

    title->title = name;
    if (close == NULL || !is_jira_id(id)) {
        return;
    }
    while (start < name.size && is_blank(name.data[start])) {
        start++;
    }
    title->has_jira_id = true;
    title->jira_id = id;
    title->title =
        start < name.size ? (struct ates_text){name.data + start, name.size - start} : id;
}

static struct ates_text without_brackets(struct ates_text text, struct ates_arena *arena)
{
    size_t characters;

    if (ates_text_scan(text, ATES_RULE_TITLE, &characters) == NULL) {
        return text;
    }
    char *copy = ates_arena_copy(arena, text.data, text.size);
    for (size_t i = 0; i < text.size; i++) {
        copy[i] = (char)(copy[i] == '[' ? '(' : copy[i] == ']' ? ')' : copy[i]);
    }
    return (struct ates_text){copy, text.size};
}

struct tasks_title tasks_title_split(struct ates_text name, struct ates_arena *arena)
{
    struct tasks_title title = {.has_jira_id = false};

    take_jira_id(name, &title);
    title.title = without_brackets(title.title, arena);
    return title;
}

struct ates_text tasks_title_join(const struct tasks_title *title, struct ates_arena *arena)
{
    if (!title->has_jira_id) {
        return title->title;
    }
    const size_t size = title->jira_id.size + title->title.size + 3;
    char *name = ates_arena_alloc(arena, size);
    char *at = name;

    *at++ = '[';
    memcpy(at, title->jira_id.data, title->jira_id.size);
    at += title->jira_id.size;
    *at++ = ']';
    *at++ = ' ';
    memcpy(at, title->title.data, title->title.size);
    return (struct ates_text){name, ates_utf8_cut(name, size, TASKS_NAME_MAX)};
}
