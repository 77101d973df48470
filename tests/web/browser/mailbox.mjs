// A mail server on this machine that accepts letters, or refuses every recipient for good.
import { createServer } from 'node:net';

export class Mailbox {
    constructor() {
        this.isRefusing = false;
        this.letters = []; // {to, text}
        this.sockets = new Set();
        this.server = createServer((socket) => this.serve(socket));
    }

    async listen() {
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
        this.url = `smtp://127.0.0.1:${this.server.address().port}`;
        return this;
    }

    serve(socket) {
        let rest = '',
            to = [],
            letter;
        const say = (line) => socket.write(`${line}\r\n`);
        const take = (line) => {
            if (letter !== undefined) {
                if (line !== '.') return letter.push(line.replace(/^\./, ''));
                this.letters.push({ to, text: letter.join('\n') });
                [letter, to] = [undefined, []];
                return say('250 Taken');
            }
            const verb = line.slice(0, 4).toUpperCase();
            if (verb === 'RCPT' && this.isRefusing) return say('550 5.1.1 Nobody of that name');
            if (verb === 'RCPT') to.push(/<(.*)>/.exec(line)[1]);
            if (verb === 'DATA') {
                letter = [];
                return say('354 Go on');
            }
            if (verb === 'QUIT') return socket.end('221 Bye\r\n');
            return say('250 Fine');
        };
        this.sockets.add(socket);
        socket
            .setEncoding('utf8')
            .on('close', () => this.sockets.delete(socket))
            .on('error', () => {});
        socket.on('data', (text) => {
            const lines = (rest + text).split('\r\n');
            rest = lines.pop();
            lines.forEach(take);
        });
        say('220 mail.uberpopug.example');
    }

    close() {
        this.sockets.forEach((socket) => socket.destroy());
        this.server.close();
    }
}
