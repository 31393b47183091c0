// The HTTP API as functions. The session is a cookie the page cannot read; every request names itself so that another site
// cannot post in a visitor's name.

import { freshId } from './keep';
import type { ActBody, Me, Reason } from './types';

/** The session is missing or has ended. */
export class SessionEnded extends Error {}

/** The service answered, but not with what was asked for. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    text: string,
  ) {
    super(text);
  }
}

const ANSWER_WAIT_MS = 8_000;

async function request(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = {
    'X-Watchfire': '1',
    'Accept-Language': document.documentElement.lang,
  };
  const init: RequestInit = { method, headers, credentials: 'same-origin', signal: AbortSignal.timeout(ANSWER_WAIT_MS) };
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  return fetch(path, init);
}

async function refusal(response: Response): Promise<Refused> {
  const said = (await response.json().catch(() => null)) as { error?: string; text?: string } | null;
  return new Refused(response.status, said?.error ?? `http-${response.status}`, said?.text ?? response.statusText);
}

/** Reads JSON from `path`. */
export async function get<T>(path: string): Promise<T> {
  const response = await request('GET', path);
  if (response.status === 401) throw new SessionEnded();
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

/** Sends JSON to `path` and reads the answer; nothing is sent twice. */
export async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await request('POST', path, body);
  if (response.status === 401) throw new SessionEnded();
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

export async function login(username: string, password: string): Promise<Me> {
  const response = await request('POST', '/api/v1/login', { username, password });
  if (!response.ok) throw await refusal(response);
  return ((await response.json()) as { me: Me }).me;
}

export async function logout(): Promise<void> {
  await request('POST', '/api/v1/logout');
}

export type ActResult = { is: 'done' } | { is: 'refused'; reasons: Reason[] } | { is: 'unreachable' } | { is: 'ended' };

const RETRY_WAITS_MS = [500, 1_000, 2_000, 4_000, 4_000, 4_000];

/**
 * Sends an act until it is answered. Every try carries the same id, so the engine does it once and repeats its first answer;
 * a caller that tries again later passes the id it used before.
 */
export async function sendAct(body: ActBody, id: string = freshId(), onRetry: () => void = () => {}): Promise<ActResult> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await request('POST', '/api/v1/acts', { id, ...body });
      if (response.ok) return { is: 'done' };
      if (response.status === 401) return { is: 'ended' };
      if (response.status === 409) {
        const said = (await response.json()) as { reasons?: Reason[] };
        return { is: 'refused', reasons: said.reasons ?? [] };
      }
      if (response.status < 500 && response.status !== 429) {
        const { code, message } = await refusal(response);
        return { is: 'refused', reasons: [{ reason: code, text_zh: message, text_en: message }] };
      }
    } catch {
      // No answer: whether it arrived is unknown, which is what the id is for.
    }
    const wait = RETRY_WAITS_MS[attempt];
    if (wait === undefined) return { is: 'unreachable' };
    onRetry();
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
