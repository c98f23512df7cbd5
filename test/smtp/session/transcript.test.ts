import { describe, expect, it } from 'vitest';
import { Transcript } from '../../../src/smtp/session/transcript.ts';

describe('Transcript', () => {
  it('tells who said what, line by line, content only by its size', () => {
    const transcript = new Transcript();
    transcript.note('connected');
    transcript.received('220 mx.example.com');
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

  it('hides secrets whoever says them', () => {
    const transcript = new Transcript();
    transcript.hide('s3cret');
    transcript.hide('s3cretly');
    transcript.received('535 s3cret and s3cretly are wrong');
    expect(transcript.lines).toEqual(['S: 535 *** and *** are wrong']);
    expect(transcript.redact('s3cret!')).toBe('***!');
  });

  it('gives debug each line as it comes', () => {
    const lines: string[] = [];
    const transcript = new Transcript((line) => lines.push(line));
    transcript.received('220 Grüße');
    expect(lines).toEqual(['S: 220 Grüße']);
    transcript.received('250-Ok\r\n250 PIPELINING');
    expect(lines).toEqual(['S: 220 Grüße', 'S: 250-Ok', 'S: 250 PIPELINING']);
  });

  it('keeps the latest of a long dialogue', () => {
    const transcript = new Transcript();
    for (let turn = 0; turn < 1_000; turn++) transcript.sent(`NOOP ${turn}\r\n`);
    expect(transcript.lines.at(-1)).toBe('C: NOOP 999');
    expect(transcript.lines.length).toBeLessThan(100);
  });
});
