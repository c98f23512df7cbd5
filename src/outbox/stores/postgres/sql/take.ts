import type { Names } from '../names.ts';
import { given } from './parts.ts';

/** The token bucket of a lane: what each one who asks is told is kept in its row, as only the locked row has the last word. */
export function taking({ rate }: Names): Readonly<Record<'take', string>> {
  return {
    take: `WITH request AS (
  SELECT given.*, date_trunc('milliseconds', clock_timestamp()) AS now FROM json_to_record(${given(1, 'json')}) AS
    given(lane text, per_second double precision, burst double precision, places double precision)
),
taken AS (
  INSERT INTO ${rate} AS rate (lane, tokens, filled_at, wait_ms) SELECT lane, burst - places, now, 0 FROM request
  ON CONFLICT (lane) DO UPDATE SET (tokens, filled_at, wait_ms) = (
    SELECT CASE WHEN missing > 0 THEN filled ELSE filled - places END,
      -- Behind others that took meanwhile its own time is a little earlier; a clock that was put back is no reason to wait.
      CASE WHEN rate.filled_at > now + interval '1 minute' THEN now ELSE greatest(rate.filled_at, now) END,
      CASE WHEN missing > 0 THEN ceil(missing / per_second * 1000) ELSE 0 END
    FROM request, LATERAL (SELECT least(burst,
      rate.tokens + greatest(0, CAST(extract(epoch FROM now - rate.filled_at) AS double precision)) * per_second) AS filled) a,
    LATERAL (SELECT least(places, burst) - filled AS missing) b
  )
  RETURNING wait_ms
)
SELECT CAST(wait_ms AS text) AS answer FROM taken`,
  };
}
