import { describe, expect, it } from 'vitest';
import { byAlarmUrgency, byUrgency, byWeight, isStanding, needsAcknowledgement, tagName } from '../src/lib/order';
import { aCase, anAlarm } from './build';

describe('the order of the wall', () => {
  it('puts an unanswered blue before an answered red', () => {
    const blue = aCase({ id: 'b', level: 'blue', answered: false });
    const red = aCase({ id: 'r', level: 'red', answered: true });
    expect([red, blue].sort(byUrgency).map((c) => c.id)).toEqual(['b', 'r']);
  });

  it('goes from red to blue among the unanswered, and the newest first within a level', () => {
    const cases = [
      aCase({ id: 'blue', level: 'blue' }),
      aCase({ id: 'yellow', level: 'yellow' }),
      aCase({ id: 'red-old', level: 'red', opened: 1 }),
      aCase({ id: 'red-new', level: 'red', opened: 2 }),
      aCase({ id: 'orange', level: 'orange' }),
    ];
    expect(cases.sort(byUrgency).map((c) => c.id)).toEqual(['red-new', 'red-old', 'orange', 'yellow', 'blue']);
  });

  it('keeps two cases of the same moment in one order, whichever comes first', () => {
    const a = aCase({ id: 'a' });
    const b = aCase({ id: 'b' });
    expect([a, b].sort(byUrgency)).toEqual([b, a].sort(byUrgency));
  });

  it('puts a returned alarm nobody has seen before one that stands and was seen', () => {
    const seen = anAlarm({ tag: 'e0/A', state: 'acknowledged', level: 'red' });
    const returned = anAlarm({ tag: 'e0/B', state: 'returned-unacknowledged', level: 'blue' });
    const latched = anAlarm({ tag: 'e0/C', state: 'latched-unacknowledged', level: 'blue' });
    expect([seen, returned, latched].sort(byAlarmUrgency).map((a) => a.tag)).toEqual(['e0/C', 'e0/B', 'e0/A']);
  });

  it('takes for the worst of a tag what stands, not what has returned, however red that was', () => {
    const returned = anAlarm({ tag: 'e0/A', state: 'returned-unacknowledged', level: 'red' });
    const stands = anAlarm({ tag: 'e0/A', state: 'acknowledged', level: 'yellow' });
    const worse = anAlarm({ tag: 'e0/A', state: 'unacknowledged', level: 'orange' });
    expect([returned, stands, worse].sort(byWeight).map((a) => a.level)).toEqual(['orange', 'yellow', 'red']);
  });

  it('counts latched and faulted as standing, and returned as still to be seen', () => {
    expect(isStanding('latched-acknowledged')).toBe(true);
    expect(isStanding('faulted')).toBe(true);
    expect(isStanding('returned-unacknowledged')).toBe(false);
    expect(needsAcknowledgement('returned-unacknowledged')).toBe(true);
    expect(needsAcknowledgement('latched-acknowledged')).toBe(false);
  });

  it('shows a tag as written, slashes included', () => {
    expect(tagName('hx/P-101A/B')).toBe('P-101A/B');
    expect(tagName('1#罐')).toBe('1#罐');
  });
});
