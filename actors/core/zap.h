/* The ZAP handler (rfc.zeromq.org/spec/27) of this process: the actor that libzmq asks about each
 * client which connects over tcp. */
#ifndef ATES_ZAP_H
#define ATES_ZAP_H

#include <czmq.h>

#define ATES_ZAP_ENDPOINT "inproc://zeromq.zap.01"

/* Starts it; before anything listens on tcp, to be destroyed (zactor_destroy) after all of that. folder: of the
 * keys (ates_curve_folder; copied). One in a process. It answers PING with PONG. Returns 0, or -errno
 * with the reason in error. */
int ates_zap_start(const char *folder, zactor_t **zap, char *error, size_t size);

#endif
