// aTES for a test: a folder of its own, an administrator, and atesd - all of it in one process, or each service in
// one of its own. What was started ends with the test, and the folder goes.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export const ADMIN = { login: 'admin', password: 'administrator-1' };
export const SERVICES = ['broker', 'auth', 'tasks', 'accounting', 'analytics', 'payment', 'web'];
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'];
const PATIENCE_MS = 60000 * Number(process.env.ATES_TIME_SCALE ?? 1);

// Polls until made() gives something true; what it gives. The pauses only keep the machine free.
export async function until(made, words, patience = PATIENCE_MS) {
    const deadline = Date.now() + patience;
    for (;;) {
        const result = await made();
        if (result) return result;
        if (Date.now() > deadline) throw new Error(`this never came: ${words}`);
        await pause(20);
    }
}

// Early in the afternoon: at midnight payment closes the day, which a test that does not ask for it must not meet.
const timeZone = () => {
    const offset = new Date().getUTCHours() - 13;
    return `Etc/GMT${offset < 0 ? offset : `+${offset}`}`;
};

export class Daemon {
    constructor(settings = {}) {
        if (!process.env.ATESD || !process.env.ATESCTL) throw new Error('ATESD and ATESCTL name the programs to test');
        this.folder = mkdtempSync(join(tmpdir(), 'ates-web-'));
        this.data = join(this.folder, 'data');
        this.run = join(this.folder, 'run');
        this.processes = new Map();
        this.spawned = []; // those that ended too
        const own = Object.entries(process.env).filter(([name]) => !name.startsWith('ATES_') && name !== 'NOTIFY_SOCKET');
        this.environment = { ...Object.fromEntries(own), ATES_TIME_ZONE: timeZone(), ATES_WEB_LISTEN: '127.0.0.1:0', ...settings };
        const made = spawnSync(process.env.ATESCTL, ['admin', 'init', '--data', this.data, '--login', ADMIN.login,
            '--email', 'admin@uberpopug.example', '--password-file', '-'],
        { input: ADMIN.password, encoding: 'utf8', env: this.environment });
        // Where a test fails so early that nothing is closed.
        this.killAtExit = () => {
            this.processes.forEach(({ child }) => child.kill('SIGKILL'));
            rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
        };
        process.on('exit', this.killAtExit);
        this.leave = () => process.exit(1); // a timeout of whoever runs the tests: on to the line above
        for (const signal of SIGNALS) process.on(signal, this.leave);
        if (made.status !== 0) throw new Error(`atesctl admin init: ${made.error ?? made.stderr}`);
    }

    // Starts 'all' or one service, and returns when it is there.
    spawn(what) {
        if (what === 'all' || what === 'web') rmSync(join(this.run, 'web.address'), { force: true }); // a killed one's
        const child = spawn(process.env.ATESD, [what, '--data', this.data, '--run', this.run],
            { env: this.environment, stdio: ['ignore', 'ignore', 'pipe'] });
        const running = { child, log: '' };
        running.ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
        child.stderr.setEncoding('utf8').on('data', (text) => { running.log = (running.log + text).slice(-20000); });
        running.ended.then(() => { running.isOver = true; });
        this.processes.set(what, running);
        this.spawned.push({ what, running });
        return running;
    }

    // What it told, and those before it.
    log(what = 'all') {
        return this.spawned.filter((one) => one.what === what).map(({ running }) => running.log).join('');
    }

    pid(what = 'all') {
        return this.processes.get(what).child.pid;
    }

    // Where the web service listens.
    async awaitAddress() {
        const path = join(this.run, 'web.address');
        await until(() => {
            for (const [name, { isOver, log }] of this.processes) if (isOver) throw new Error(`${name} ended: ${log}`);
            return existsSync(path) && readFileSync(path, 'utf8').endsWith('\n');
        }, 'web.address');
        this.base = readFileSync(path, 'utf8').trim();
        await until(async () => (await fetch(`${this.base}/readyz`).catch(() => ({}))).status === 200, '/readyz');
        return this.base;
    }

    async start(...what) {
        for (const name of what.length > 0 ? what : ['all']) this.spawn(name);
        await this.awaitAddress();
        return this;
    }

    async startApart() {
        return this.start(...SERVICES);
    }

    async end(what, signal) {
        const running = this.processes.get(what);
        running.child.kill(signal);
        this.processes.delete(what);
        return running.ended;
    }

    async kill(what = 'all') {
        await this.end(what, 'SIGKILL');
    }

    async stop(what = 'all') {
        const { code, signal } = await this.end(what, 'SIGTERM');
        if (code !== 0) throw new Error(`${what} ended with ${code ?? signal}`);
    }

    // Ends everything, the web first, and removes the folder. Fails where something did not end well, a sanitizer's
    // word at the end included: that is told.
    async close() {
        const wrong = [];
        for (const name of [...this.processes.keys()].reverse()) {
            const running = this.processes.get(name);
            const { code, signal } = await this.end(name, 'SIGTERM');
            if (code !== 0) wrong.push(`${name} ended with ${code ?? signal}: ${running.log}`);
        }
        process.off('exit', this.killAtExit);
        for (const signal of SIGNALS) process.off(signal, this.leave);
        rmSync(this.folder, { recursive: true });
        if (wrong.length > 0) throw new Error(wrong.join('\n'));
    }
}
