import { describe, expect, it } from 'vitest';
import { Transcript } from '../../src/smtp/transcript.ts';

describe('Transcript', () => {
  it('tells who said what, line by line, content only by its size', () => {
    const transcript = new Transcript();
    transcript.note('connected');
    transcript.received(Buffer.from('220 mx'));
    transcript.received(Buffer.from('.example.com\r\n'));
    transcript.sent('MAIL FROM:<a@example.com>\r\nBDAT 5 LAST\r\n');
    transcript.sentContent(5);
    expect(transcript.lines).toEqual([
      '*: connected',
      'S: 220 mx.example.com',
      'C: MAIL FROM:<a@example.com>',
      'C: BDAT 5 LAST',
      'C: (5 octets of content)',
    ]);
  });

  it('hides secrets whoever says them, also when they come in pieces', () => {
    const transcript = new Transcript();
    transcript.hide('s3cret');
    transcript.hide('s3cretly');
    transcript.received(Buffer.from('535 s3c'));
    transcript.received(Buffer.from('ret and s3cretly are wrong\r\n'));
    expect(transcript.lines).toEqual(['S: 535 *** and *** are wrong']);
    expect(transcript.redact('s3cret!')).toBe('***!');
  });

  it('gives debug whole lines only, as they come, in their own characters', () => {
    const lines: string[] = [];
    const transcript = new Transcript((line) => lines.push(line));
    const greeting = Buffer.from('220 Grüße\r\n250');
    transcript.received(greeting.subarray(0, 7));
    transcript.received(greeting.subarray(7));
    transcript.understood();
    expect(lines).toEqual(['S: 220 Grüße']);
    transcript.received(Buffer.from(' Ok\r\n'));
    transcript.understood();
    expect(lines).toEqual(['S: 220 Grüße', 'S: 250 Ok']);
  });

  it('shows a server before what it was answered, and content that it quotes by a placeholder', () => {
    const lines: string[] = [];
    const transcript = new Transcript((line) => lines.push(line));
    transcript.received(Buffer.from('554 no "Your password reset, Bob"\r\n'));
    transcript.hideQuote('Your password reset, Bob');
    transcript.sent('QUIT\r\n');
    expect(lines).toEqual(['S: 554 no "[content]"', 'C: QUIT']);
    expect(transcript.lines).toEqual(lines);
  });

  it('keeps the latest of a long dialogue', () => {
    const transcript = new Transcript();
    for (let turn = 0; turn < 1_000; turn++) transcript.sent(`NOOP ${turn}\r\n`);
    expect(transcript.lines.at(-1)).toBe('C: NOOP 999');
    expect(transcript.lines.length).toBeLessThan(100);
  });
});
