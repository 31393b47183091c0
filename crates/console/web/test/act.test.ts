import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sendAct } from '../src/lib/api';
import type { ActBody } from '../src/lib/types';

const ACT: ActBody = { act: 'handle', case: 'c', comment: '关阀' };
let sent: { id: string; headers: Record<string, string> }[] = [];

function answering(...answers: (Response | Error)[]): void {
  vi.stubGlobal('document', { documentElement: { lang: 'zh-CN' } });
  vi.stubGlobal('fetch', (_: string, init: { body: string; headers: Record<string, string> }) => {
    sent.push({ id: (JSON.parse(init.body) as { id: string }).id, headers: init.headers });
    const answer = answers[sent.length - 1] ?? new Error('no more answers');
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
}
const json = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status });

beforeEach(() => {
  sent = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('an act', () => {
  it('is sent again with the same id until it is answered', async () => {
    answering(new Error('network'), json(503, { error: 'busy' }), json(200, { answer: 'done' }));
    const retried = vi.fn();
    const result = sendAct(ACT, 'id-1', retried);
    await vi.runAllTimersAsync();
    expect(await result).toEqual({ is: 'done' });
    expect(sent.map((s) => s.id)).toEqual(['id-1', 'id-1', 'id-1']);
    expect(retried).toHaveBeenCalledTimes(2);
    expect(sent[0]?.headers['X-Watchfire']).toBe('1');
  });

  it('is not called done when nobody answers', async () => {
    answering();
    const result = sendAct(ACT, 'id-1');
    await vi.runAllTimersAsync();
    expect(await result).toEqual({ is: 'unreachable' });
    expect(new Set(sent.map((s) => s.id)).size).toBe(1);
    expect(sent.length).toBeGreaterThan(3);
  });

  it('is refused once, with the reasons, and not sent again', async () => {
    const reasons = [{ reason: 'alarm-stands', text_zh: '报警还在', text_en: 'stands' }];
    answering(json(409, { answer: 'refused', reasons }));
    expect(await sendAct(ACT)).toEqual({ is: 'refused', reasons });
    expect(sent).toHaveLength(1);
  });

  it('ends with the session', async () => {
    answering(json(401, { error: 'no-session' }));
    expect(await sendAct(ACT)).toEqual({ is: 'ended' });
  });
});
