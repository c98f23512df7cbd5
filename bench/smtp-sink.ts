// A sink that takes mail as fast as Node can read it, with CHUNKING, which Postfix's smtp-sink does not know. It counts
// what it took; the parent process asks for the count.
import { createServer, type Socket } from 'node:net';

const CRLF = Buffer.from('\r\n');
const END = Buffer.from('\r\n.\r\n');
const OFFER = process.argv.includes('--chunking')
  ? '250-sink\r\n250-PIPELINING\r\n250-SIZE 0\r\n250-8BITMIME\r\n250 CHUNKING\r\n'
  : '250-sink\r\n250-PIPELINING\r\n250-SIZE 0\r\n250 8BITMIME\r\n';
const OK = '250 2.0.0 Ok\r\n';

let taken = 0;

/** One connection; `state` is what the next bytes are: a command, content that ends with a dot, or so many octets. */
function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  let octets = 0;
  let state: 'command' | 'data' | 'bdat' = 'command';
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.write('220 sink\r\n');
  socket.on('data', (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    let replies = '';
    while (at < bytes.length) {
      if (state === 'bdat') {
        const part = Math.min(octets, bytes.length - at);
        at += part;
        octets -= part;
        if (octets > 0) break;
        state = 'command';
        taken++;
        replies += OK;
      } else if (state === 'data') {
        const end = bytes.indexOf(END, at);
        if (end < 0) {
          at = Math.max(at, bytes.length - END.length + 1);
          break;
        }
        at = end + END.length;
        state = 'command';
        taken++;
        replies += OK;
      } else {
        const end = bytes.indexOf(CRLF, at);
        if (end < 0) break;
        const verb = bytes[at] ?? 0;
        if (verb === 0x44) {
          // What comes first may be the dot itself: the search needs the line end before it.
          replies += '354 Go on\r\n';
          state = 'data';
          at = end;
          continue;
        }
        if (verb === 0x42) {
          octets = Number.parseInt(bytes.toString('latin1', at + 5, end), 10);
          state = 'bdat';
        } else if (verb === 0x45) replies += OFFER;
        else if (verb === 0x51) {
          socket.end(`${replies}221 2.0.0 Bye\r\n`);
          return;
        } else replies += OK;
        at = end + 2;
      }
    }
    rest = at < bytes.length ? bytes.subarray(at) : Buffer.alloc(0);
    if (replies !== '') socket.write(replies, 'latin1');
  });
}

const server = createServer(serve);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address ? address.port : 0 });
});
process.on('message', () => process.send?.({ taken }));
process.on('disconnect', () => process.exit());
