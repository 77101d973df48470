/* The catalogue of messages; see catalogue.h. */
#include <stdarg.h>

#include "core/catalogue.h"

const struct ates_catalogue_entry ates_catalogue[ATES_ENTRY_COUNT] = {
    [ATES_SAY_READY] = {"3ecb493659484c0b8d511215b7c7d34e", ATES_NOTICE, "aTES is ready",
                        "atesd @ATES_SERVICE@ has read its log and takes commands.",
                        "Nothing is to be done."},
    [ATES_SAY_STOPPED] =
        {"0fcb604cfa2a4036a916ab7379c747bc", ATES_NOTICE, "aTES has stopped",
         "atesd @ATES_SERVICE@ was told to stop, answered what it had taken in, and "
         "ended.",
         "Nothing is to be done."},
    [ATES_SAY_FAILED] = {"a219188a9a2a49a59ccf682d459b8381", ATES_ERROR, "aTES has failed",
                         "atesd @ATES_SERVICE@ has ended because a part of it could not go on. No "
                         "command was answered that is not in its log.",
                         "Look at the lines before this one for the reason. systemd starts the "
                         "service again; where it gives that up, mend the reason, then: "
                         "systemctl reset-failed 'ates@*'; systemctl start ates.target"},
    [ATES_SAY_CANNOT_START] =
        {"78f522d51748487881db182c7a3d41fb", ATES_ERROR, "aTES cannot start",
         "atesd @ATES_SERVICE@ found its settings, its keys, its data or its folders not as they "
         "must be; the line says which.",
         "Mend what the line names: a setting in /etc/ates/ates.conf, or data that are not there "
         "yet "
         "(sudo atesctl admin init --login LOGIN --email EMAIL). Then: "
         "systemctl start ates.target"},
    [ATES_SAY_SERVING] = {"1fd462c1f34a46a2a6f7b7cb8bba1cc7", ATES_NOTICE, "A service serves",
                          "@ATES_SERVICE@ has its state up to event @ATES_SEQ@ of its log.",
                          "Nothing is to be done."},
    [ATES_SAY_CANNOT_GO_ON] =
        {"d3ea81e7b723419c89be221cc9debfa4", ATES_ERROR, "A service cannot go on",
         "@ATES_SERVICE@ could not write or read its data (@ATES_ERROR@) and has stopped taking "
         "commands in; its process ends.",
         "Look at the disk first (dmesg, df). Then, with the service stopped: "
         "sudo atesctl admin check. A damaged state is made anew by "
         "atesctl admin rebuild; a damaged log needs a backup."},
    [ATES_SAY_STATE_ANEW] =
        {"165c3f369a9846208dc4a37b6c82e357", ATES_NOTICE, "A state is made anew",
         "@ATES_SERVICE@ keeps its tables in another form than the version before did, and folds "
         "them anew from its log.",
         "Nothing is to be done but to wait: some 300,000 events a second are folded."},
    [ATES_SAY_STATE_FOREIGN] =
        {"acb37f12a0824a1ea1243bf1e46fbbbf", ATES_ERROR, "A state is of another log",
         "The folder of @ATES_SERVICE@ holds a log and a state that do not belong together, as "
         "after "
         "one of them was copied from elsewhere.",
         "Bring the log's own state back, or move the folder state away: it is made anew from the "
         "log at the next start."},
    [ATES_SAY_BASE_UNUSABLE] =
        {"2af1ffddff904eb9b2393d10c582ab17", ATES_ERROR, "A log's base is unusable",
         "The log of @ATES_SERVICE@ was compacted; the state that stands for the records cut off "
         "it is "
         "missing, damaged, or of a form from which this program cannot make its own. The line "
         "says "
         "which.",
         "Restore the folder of this service from a backup; where the form is the reason, run a "
         "release that knows a way from it."},
    [ATES_SAY_STORE_FILLING] = {"cdb92a3dd9b244f1b1600dcfd9ea043b", ATES_WARNING,
                                "A store is filling",
                                "The store of @ATES_SERVICE@ is @ATES_USED_PERMILLE@ permille "
                                "full. At 850 permille commands "
                                "that write are refused.",
                                "Raise store/map_gigabytes in /etc/ates/ates.conf, then: "
                                "systemctl restart ates@@ATES_SERVICE@.service"},
    [ATES_SAY_DISK_NEARLY_FULL] =
        {"2ea2b60e64ff4bd482b5834749f43e95", ATES_WARNING, "The disk is nearly full",
         "There is too little room on the disk for @ATES_SERVICE@: commands that write are "
         "refused, "
         "events are not taken in; what was answered is safe.",
         "Make room on the disk of the data folder. The service goes on by itself."},
    [ATES_SAY_STORE_FULL] =
        {"ad736edf54474a1eb21189f387f195a6", ATES_ERROR, "A store or its disk is full",
         "A batch of commands found no room and was undone; its callers were told so.",
         "Make room on the disk, or raise store/map_gigabytes in /etc/ates/ates.conf and restart "
         "the "
         "service."},
    [ATES_SAY_CHECKPOINT_FAILED] =
        {"81e032212c5b462bb6df2fa64f76c5a3", ATES_ERROR, "A checkpoint failed",
         "@ATES_SERVICE@ could not write its state to the disk (@ATES_ERROR@). Its log has "
         "everything.",
         "Where the disk is full, make room. Else look at the disk (dmesg); the service makes its "
         "state anew from the log at the next start."},
    [ATES_SAY_COMMAND_FAILED] =
        {"ebf2139201444bbd8995332af56e6193", ATES_ERROR, "A command failed",
         "@ATES_SERVICE@ could not carry out @ATES_COMMAND@ (@ATES_ERROR@) and answered INTERNAL; "
         "nothing of it was kept.",
         "This is a fault of the program or of the disk. With the service stopped: "
         "sudo atesctl admin check. Report it with the lines around this one."},
    [ATES_SAY_JOB_FAILED] =
        {"970fb011b48640ffaf50b64bf5f97176", ATES_ERROR, "A job cannot go on",
         "Something that @ATES_SERVICE@ does by itself, as a payout or a reassignment, met a fault "
         "(@ATES_ERROR@). It is tried again with a growing delay.",
         "Look at the disk and at the lines around this one. With the service stopped: "
         "sudo atesctl admin check"},
    [ATES_SAY_EVENT_FAILED] = {"d4ec174eeca9425d910a97458931ca37", ATES_ERROR,
                               "An event could not be taken in",
                               "@ATES_SERVICE@ met a fault at an event that it follows "
                               "(@ATES_ERROR@, number @ATES_SEQ@). "
                               "It is tried again with a growing delay; later events wait.",
                               "Look at the disk and at the lines around this one."},
    [ATES_SAY_DEAD_LETTER] =
        {"61c8896dd7dd424cb4fff7aadd8e804c", ATES_ERROR, "A dead letter",
         "@ATES_SERVICE@ follows an event that it can never apply (number @ATES_SEQ@, "
         "@ATES_REASON@). The event is kept with its reason.",
         "Look at it: atesctl events dead @ATES_SERVICE@. Where the stream has stopped, later "
         "events "
         "of the same producer wait until it is mended."},
    [ATES_SAY_STREAM_STOPPED] =
        {"ae2bdacf3c6e4e08abbc24e1ef7a8068", ATES_ERROR, "A stream has stopped",
         "@ATES_SERVICE@ no longer follows @ATES_PRODUCER@ from its event @ATES_SEQ@ on: "
         "@ATES_REASON@. Money, people or figures that depend on it stand still.",
         "Find out whether the data of @ATES_PRODUCER@ were replaced or damaged: "
         "sudo atesctl admin check, with the services stopped; atesctl events dead "
         "@ATES_SERVICE@ shows a dead letter. The stream goes on after a restart of "
         "ates@@ATES_SERVICE@.service, once the reason is gone. Where the log of @ATES_PRODUCER@ "
         "was "
         "compacted beyond what was followed, restore the data of @ATES_SERVICE@ from a backup."},
    [ATES_SAY_NO_EVENTS] =
        {"2eb45c4527bd46ae9b8501c48627988e", ATES_WARNING, "No events arrive",
         "@ATES_SERVICE@ has heard nothing from the broker for too long and connects to it anew. "
         "Nothing is lost: events are read from their producers' logs meanwhile.",
         "If it comes again and again: systemctl status ates@broker.service"},
    [ATES_SAY_DATE_CLOSED] =
        {"e3d4b84396ef4089bcee81d6dfeac209", ATES_NOTICE, "A date is closed and paid",
         "Every transfer of the date is booked, @ATES_PAID_COUNT@ employees are paid "
         "@ATES_TOTAL_CENTS@ cents in all, and their mails are queued. The date never changes "
         "again.",
         "Nothing is to be done. If no such line comes in the morning: atesctl payment show"},
    [ATES_SAY_DATE_NOT_PAID] =
        {"fe84e9343d864386862d152a08286c47", ATES_WARNING, "A date could not be paid yet",
         "payment asked accounting to close a date, which it could not do; the line says why. It "
         "is "
         "tried again with a growing delay, and dates follow in order.",
         "See that auth, tasks and accounting run: systemctl list-units 'ates@*'. To have it tried "
         "at once: atesctl payment run"},
    [ATES_SAY_MAIL_GIVEN_UP] =
        {"dac4d326ba1748b1b3669706116c1c54", ATES_WARNING, "A mail is given up",
         "The mail server refused a payout's mail for good, or for days; the payout itself is "
         "booked.",
         "Mend the address or the server, see atesctl mail ls, then have it sent again: "
         "atesctl mail retry"},
    [ATES_SAY_LET_IN] = {"78974a7eecbb4dce9f9adee8a9d02d5a", ATES_NOTICE,
                         "Somebody proved who they are",
                         "@ATES_SERVICE@ did @ATES_COMMAND@ for the user @ATES_USER_ID@, whose "
                         "password was right or was set.",
                         "Nothing is to be done, unless you do not expect it: "
                         "atesctl user revoke ends the user's sessions."},
    [ATES_SAY_KEPT_OUT] = {"bc69a136dd4a44969559fbec5ee8d902", ATES_NOTICE, "Somebody was refused",
                           "@ATES_SERVICE@ refused @ATES_COMMAND@ for who asked: @ATES_REASON@. "
                           "Of many such lines some are left out; a later one tells how many "
                           "(ATES_LEFT_OUT).",
                           "Single ones are mistakes. Many TOO_MANY_ATTEMPTS or BAD_CREDENTIALS "
                           "are somebody who guesses passwords: ATES_CLIENT tells from where."},
    [ATES_SAY_CONNECTIONS_ENDED] =
        {"ee2ba3afaa9342ecb66b40ec699a211c", ATES_WARNING, "Connections were ended",
         "@ATES_SERVICE@ ended @ATES_ENDED@ connections of its sockets: @ATES_REASON@. Who has "
         "the most of them, or sends and ends no message, or does not read, comes first. Whoever "
         "still wants something connects anew, and nothing that was accepted is lost.",
         "Single lines may be a client that went wrong. Where they do not end, see who it is: "
         "ss -xp, and which users are in the group ates."},
    [ATES_SAY_LISTENS] = {"5c4f89b5f42d43599de5e5b7cfe53ecc", ATES_NOTICE,
                          "A socket listens on tcp",
                          "The socket @ATES_SERVICE@ is reached at @ATES_ADDRESS@, beside its own "
                          "in the run folder, "
                          "by those whose CURVE keys are allowed.",
                          "Nothing is to be done. Who is allowed: atesctl admin keys ls."},
    [ATES_SAY_TCP_OPEN] =
        {"37da443f5bd642a09f1be46d3d092cc1", ATES_WARNING, "A socket listens on tcp without CURVE",
         "curve/insecure_tcp is 1: whoever is on this machine may connect to @ATES_ADDRESS@, and "
         "what goes over it is not encrypted.",
         "Use it for trying things out alone. Else take the setting out, and give those who "
         "connect keys: atesctl admin keys new, allow."},
    [ATES_SAY_KEYS_UNUSABLE] =
        {"934d7be19d9b470dba92d8486d641865", ATES_WARNING, "CURVE keys cannot be used",
         "A folder of allowed keys, or a file in it, is not as it must be (@ATES_ERROR@). "
         "Whoever is meant by it is not let in.",
         "Mend what the line names: folders and files belong to their owner alone for "
         "writing, and a file is a certificate as atesctl admin keys new makes it."},
    [ATES_SAY_KEY_REFUSED] =
        {"0b1f359a154b46d59182a34a0720b7fd", ATES_NOTICE, "A client is not let in over tcp",
         "A client at @ATES_CLIENT@ connected without a CURVE key that is allowed for "
         "@ATES_SERVICE@: @ATES_REASON@. One line a second tells of all of them "
         "(ATES_LEFT_OUT: how many had none).",
         "Where the client should get in: atesctl admin keys allow FILE --socket "
         "commands. Many of them are somebody who tries: close the port to others."},
    [ATES_SAY_KEY_REVOKED] =
        {"17204ff2c46a4afa8fae617b99c786b2", ATES_NOTICE, "A key was revoked",
         "A key that was allowed for @ATES_SERVICE@ is gone from its folder: all who were "
         "connected over tcp are cut off, and those who are allowed connect again.",
         "Nothing is to be done: followers read what they missed."},
    [ATES_SAY_KEYS_TAKEN] =
        {"faab97979bb04fc894971d81528545fb", ATES_NOTICE, "Changed keys were taken over",
         "The keyring, or a key that @ATES_SERVICE@ signs with, has changed on the disk and is "
         "in use from now on.",
         "Nothing is to be done; after atesctl admin keys rotate this is the sign that it "
         "worked."},
};

void ates_say(enum ates_entry entry, const char *service, const struct ates_log_field *fields,
              const char *format, ...)
{
    const struct ates_catalogue_entry *about = &ates_catalogue[entry];
    va_list arguments;

    va_start(arguments, format);
    ates_journal_write(about->level, about->id, service, fields, format, arguments);
    va_end(arguments);
}
