/* atesd: runs the broker, one service, or all of them in one process. Signals arrive by signalfd in
 * the main thread only; the actors are told through their pipes. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <czmq.h>
#include <sodium.h>
#ifdef ATES_WITH_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "broker/broker.h"
#include "core/actor.h"
#include "core/calendar.h"
#include "core/catalogue.h"
#include "core/config.h"
#include "core/curve.h"
#include "core/environment.h"
#include "core/standard_files.h"
#include "core/warden.h"
#include "core/zap.h"
#include "domains.h"
#include "web/web.h"

#define SERVICES_MAX 8
#define THREADS_MAX (SERVICES_MAX + 3) /* the services', the broker's, the web's and ZAP's */
#define SETTINGS_MAX 8
#define EXIT_MEND 2            /* a usage, a setting or data that somebody must mend first */
#define PING_INTERVAL_MS 10000 /* where no watchdog asks for a shorter one */
/* What a start that is under way may still take, told anew at each ping. */
#define START_EXTENSION "EXTEND_TIMEOUT_USEC=30000000"

struct daemon {
    struct ates_config config;
    const char *what; /* broker, a service's name, web, or all */
    zactor_t *zap;    /* NULL: nothing listens on tcp with CURVE */
    zactor_t *broker;
    struct ates_actor *actors[SERVICES_MAX];
    size_t actor_count;
    struct ates_web *web;
    zactor_t *threads[THREADS_MAX]; /* of all of them, once they run */
    bool ponged[THREADS_MAX];       /* since the last ping */
    size_t thread_count;
    size_t starting; /* threads that do not serve yet; the broker does at once */
    bool announced;
    int64_t watchdog_ms; /* 0: nobody asks */
    int64_t pinged_ms;
};

static void usage(FILE *out)
{
    fputs("usage: atesd broker|", out);
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        fprintf(out, "%s|", ates_domains[i]->service->name);
    }
    fputs("web|all [options]\n"
          "\n"
          "  -c, --config FILE     read settings from FILE (default $ATES_CONFIG, "
          "or " ATES_CONFIG_FILE ")\n"
          "      --data DIR        where the services keep their data\n"
          "      --run DIR         where their sockets are\n"
          "      --http ADDR:PORT  where the web service listens (default 127.0.0.1:8080)\n"
          "      --log-level L     error, warning, notice, info or debug\n"
          "  -h, --help            print this\n"
          "  -V, --version         print the version\n",
          out);
}

/* Returns 0 to go on, 1 where the program is done, -EINVAL on a wrong option. */
static int parse(struct daemon *self, int argc, char **argv, const char **file,
                 struct ates_setting *settings, size_t *count)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},    {"data", required_argument, NULL, 'd'},
        {"run", required_argument, NULL, 'r'},       {"http", required_argument, NULL, 'w'},
        {"log-level", required_argument, NULL, 'l'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},         {NULL, 0, NULL, 0},
    };
    int option;

    opterr = 0; /* its words and ours are one line */
    while ((option = getopt_long(argc, argv, ":c:hV", options, NULL)) != -1) {
        if (*count == SETTINGS_MAX) {
            fputs("atesd: too many options\n", stderr);
            return -EINVAL;
        }
        switch (option) {
        case 'c':
            *file = optarg;
            break;
        case 'd':
            settings[(*count)++] = (struct ates_setting){"data", optarg};
            break;
        case 'r':
            settings[(*count)++] = (struct ates_setting){"run", optarg};
            break;
        case 'w':
            settings[(*count)++] = (struct ates_setting){"web/listen", optarg};
            break;
        case 'l':
            settings[(*count)++] = (struct ates_setting){"log/level", optarg};
            break;
        case 'h':
            usage(stdout);
            return 1;
        case 'V':
            puts("atesd " ATES_VERSION);
            return 1;
        default:
            fprintf(stderr, "atesd: %s %s; try: atesd --help\n",
                    option == ':' ? "a value is needed for" : "no such option:", argv[optind - 1]);
            return -EINVAL;
        }
    }
    if (argc - optind != 1) {
        fprintf(stderr, "atesd: %s; try: atesd --help\n",
                optind == argc ? "say what to run" : "only one thing to run");
        return -EINVAL;
    }
    self->what = argv[optind];
    return 0;
}

static bool wanted(const struct daemon *self, const char *name)
{
    return strcmp(self->what, "all") == 0 || strcmp(self->what, name) == 0;
}

/* Whoever connects over tcp is asked about from the first moment on. */
static int open_zap(struct daemon *self, char *error, size_t error_size)
{
    char folder[sizeof self->config.curve_folder + 16];
    int r = ates_curve_load(&self->config, error, error_size);

    if (r == 0 && ates_curve_is_used(&self->config)) {
        ates_curve_folder(&self->config, folder, sizeof folder);
        r = ates_zap_start(folder, &self->zap, error, error_size);
    }
    return r;
}

/* Opens what was asked for: the data first, so that a start without any leaves no sockets behind. */
static int open_all(struct daemon *self, char *error, size_t error_size)
{
    bool found = wanted(self, "broker") || wanted(self, "web");
    int r = open_zap(self, error, error_size);

    for (size_t i = 0; r == 0 && ates_domains[i] != NULL; i++) {
        if (wanted(self, ates_domains[i]->service->name)) {
            found = true;
            r = ates_actor_open(&self->actors[self->actor_count], ates_domains[i], &self->config,
                                error, error_size);
            self->actor_count += r == 0;
        }
    }
    if (!found) {
        snprintf(error, error_size, "there is no service '%s'; try: atesd --help", self->what);
        return -EINVAL;
    }
    if (r == 0 && wanted(self, "web")) {
        r = ates_web_open(&self->web, &self->config, error, error_size);
    }
    if (r == 0 && wanted(self, "broker")) {
        r = ates_broker_start(&self->config, &self->broker, error, error_size);
    }
    return r;
}

static int start_all(struct daemon *self, char *error, size_t error_size)
{
    const char *name = "web";
    int r = 0;

    if (self->zap != NULL) {
        self->threads[self->thread_count++] = self->zap;
    }
    if (self->broker != NULL) {
        self->threads[self->thread_count++] = self->broker;
    }
    for (size_t i = 0; r == 0 && i < self->actor_count; i++) {
        name = ates_actor_name(self->actors[i]);
        r = ates_actor_start(self->actors[i]);
        if (r == 0) {
            self->threads[self->thread_count++] = ates_actor_pipe(self->actors[i]);
        }
    }
    if (r == 0 && self->web != NULL) {
        name = "web";
        r = ates_web_start(self->web);
        if (r == 0) {
            self->threads[self->thread_count++] = ates_web_pipe(self->web);
        }
    }
    if (r == 0) {
        const struct ates_warden_limits limits = ates_warden_default_limits();

        name = "warden";
        r = ates_warden_start(self->what, &limits);
    }
    self->starting = self->actor_count + (self->web != NULL);
    if (r != 0) {
        snprintf(error, error_size, "%s: cannot start a thread", name);
    }
    return r;
}

/* Intake first, the broker last: what is published while the services stop still finds its way. */
static void close_all(struct daemon *self)
{
    ates_warden_stop();
    ates_web_close(&self->web);
    while (self->actor_count > 0) {
        ates_actor_close(&self->actors[--self->actor_count]);
    }
    zactor_destroy(&self->broker);
    zactor_destroy(&self->zap);
}

static void notify(const char *state)
{
#ifdef ATES_WITH_SYSTEMD
    sd_notify(0, state);
#else
    (void)state;
#endif
}

static void announce(struct daemon *self)
{
    if (!self->announced && self->starting == 0) {
        self->announced = true;
        notify("READY=1");
        ates_say(ATES_SAY_READY, self->what, NULL, "atesd %s is ready", self->what);
    }
}

/* What a thread said. Returns 0, or -EIO where it has failed. */
static int hear(struct daemon *self, size_t index)
{
    char *word = zstr_recv(self->threads[index]);
    int r = 0;

    if (word == NULL) {
        return -EINTR;
    }
    if (strcmp(word, "READY") == 0) {
        self->starting--;
        announce(self);
    } else if (strcmp(word, "PONG") == 0) {
        self->ponged[index] = true;
    } else {
        r = -EIO; /* FAILED, which it has logged, or the broker's last signal */
    }
    zstr_free(&word);
    return r;
}

/* The watchdog is fed only when every loop that does the work has gone round since the last time. A
 * loop may be busy for long before it serves, as a log takes its time to replay: until then more
 * time to start is asked for instead. */
static void ping(struct daemon *self)
{
    const bool is_first = self->pinged_ms == 0;

    self->pinged_ms = zclock_mono();
    if (!self->announced) {
        notify(START_EXTENSION);
    }
    for (size_t i = 0; !is_first && i < self->thread_count; i++) {
        if (!self->ponged[i]) {
            return;
        }
    }
    if (!is_first) {
        notify("WATCHDOG=1");
    }
    for (size_t i = 0; i < self->thread_count; i++) {
        self->ponged[i] = false;
        zstr_send(self->threads[i], "PING");
    }
}

/* Several pings fit into the watchdog's time, so that one which finds a loop busy costs nothing. */
static int64_t ping_interval(const struct daemon *self)
{
    const int64_t interval = self->watchdog_ms / 4;

    return interval > 0 && interval < PING_INTERVAL_MS ? interval : PING_INTERVAL_MS;
}

static int poll_once(struct daemon *self, int signals, bool *stop)
{
    zmq_pollitem_t items[THREADS_MAX + 1] = {{NULL, signals, ZMQ_POLLIN, 0}};
    int r = 0;

    for (size_t i = 0; i < self->thread_count; i++) {
        items[1 + i] = (zmq_pollitem_t){zsock_resolve(self->threads[i]), 0, ZMQ_POLLIN, 0};
    }
    const int64_t interval = ping_interval(self);
    const int64_t due = self->pinged_ms + interval - zclock_mono();
    if (zmq_poll(items, 1 + (int)self->thread_count, due > 0 ? due : 0) < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    if (items[0].revents & ZMQ_POLLIN) {
        struct signalfd_siginfo info;

        *stop = read(signals, &info, sizeof info) == sizeof info;
    }
    for (size_t i = 0; r == 0 && i < self->thread_count; i++) {
        if (items[1 + i].revents & ZMQ_POLLIN) {
            r = hear(self, i);
        }
    }
    if (r == 0 && zclock_mono() >= self->pinged_ms + interval) {
        ping(self);
    }
    return r;
}

static int wait_for_end(struct daemon *self, int signals)
{
    bool stop = false;
    int r = 0;

#ifdef ATES_WITH_SYSTEMD
    uint64_t watchdog_us = 0;
    if (sd_watchdog_enabled(0, &watchdog_us) > 0) {
        self->watchdog_ms = (int64_t)(watchdog_us / 1000);
    }
#endif
    announce(self);
    ping(self);
    while (r == 0 && !stop) {
        r = poll_once(self, signals, &stop);
    }
    notify("STOPPING=1");
    return r;
}

static int block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP); /* of a terminal that closes; there is nothing to reload */
    /* Before any thread starts, so that all of them inherit it. */
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return -1;
    }
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* libzmq ends the process when a socket that listens finds no file descriptor left: have as many as may be. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Tells why there is no start. Returns the code to exit with: 2 where it will be so again until
 * somebody mends it, for a supervisor not to try. */
static int refuse_start(const struct daemon *self, int r, const char *error)
{
    if (ates_journal_is_native()) {
        ates_say(ATES_SAY_CANNOT_START, self->what, NULL, "%s", error);
    } else {
        fprintf(stderr, "atesd: %s\n", error);
    }
    return r == -EINVAL || r == -ENOENT || r == -EPERM || r == -EPROTONOSUPPORT ? EXIT_MEND
                                                                                : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static struct daemon self;
    struct ates_setting settings[SETTINGS_MAX];
    size_t setting_count = 0;
    const char *file = NULL;
    char error[8192] = "";

    int r = ates_standard_files_open();
    if (r != 0) {
        return EXIT_FAILURE;
    }
    zsys_handler_set(NULL); /* before anything of CZMQ: signals are ours */
    r = parse(&self, argc, argv, &file, settings, &setting_count);
    if (r != 0) {
        return r > 0 ? EXIT_SUCCESS : EXIT_MEND;
    }
    ates_journal_open("info"); /* until the configuration tells its level */
    raise_file_limit();
    ates_environment_explain_faults();
    const int signals = block_signals();
    if (sodium_init() < 0 || signals < 0) {
        fputs("atesd: cannot start\n", stderr);
        return EXIT_FAILURE;
    }
    r = ates_config_load(&self.config, file, settings, setting_count, error, sizeof error);
    if (r == 0) {
        ates_journal_open(self.config.log_level);
        ates_calendar_open(self.config.time_zone);
        r = open_all(&self, error, sizeof error);
    }
    if (r == 0) {
        r = start_all(&self, error, sizeof error);
    }
    if (r != 0) {
        close_all(&self);
        return refuse_start(&self, r, error);
    }
    r = wait_for_end(&self, signals);
    close_all(&self);
    zsys_shutdown();
    ates_say(r == 0 ? ATES_SAY_STOPPED : ATES_SAY_FAILED, self.what, NULL, "atesd %s has %s",
             self.what, r == 0 ? "stopped" : "failed");
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
