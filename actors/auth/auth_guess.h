/* Passwords that are guessed first: those of a list (auth.refused_passwords), and those that are made of nothing but words
 * that everybody knows here. */
#ifndef AUTH_GUESS_H
#define AUTH_GUESS_H

#include <stdbool.h>
#include <stddef.h>

#include <ates/message.h>

struct auth_guess;

/* Reads the list at path, a password a line, empty lines apart; an empty path: no list. Held as hashes, 8 bytes a line. Returns 0,
 * or -errno with error naming the setting and the file: unreadable, not a regular file, or above AUTH_GUESS_FILE_MAX. */
#define AUTH_GUESS_FILE_MAX ((size_t)256 * 1024 * 1024) /* bytes */
int auth_guess_open(struct auth_guess **guess, const char *path, char *error, size_t error_size);
void auth_guess_free(struct auth_guess **guess);

/* Whether the password stands in the list, or is the login, the e-mail address' local part, "ates", "uberpopug" or "popug",
 * or several of these, with digits and signs anywhere; all without regard to the case of ASCII letters. */
bool auth_guess_finds(const struct auth_guess *guess, struct ates_text password,
                      struct ates_text login, struct ates_text email);

#endif
