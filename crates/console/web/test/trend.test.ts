import { describe, expect, it } from 'vitest';
import { columns, historyPath, range, spread } from '../src/lib/trend';

const point = (from: number, value: number | null, bad = 0) => ({
  from,
  to: from + 500,
  count: 1,
  bad,
  min: value,
  max: value,
  last: value,
});

describe('the line of a trend', () => {
  const quiet = [0, 1_000, 2_000, 3_000].map((at) => point(at, 5));

  it('is whole where readings follow one another', () => {
    expect(columns({ points: quiet, gaps: [] }, 0).last).toEqual([5, 5, 5, 5]);
  });
  it('is broken over a pause, so that silence does not look like a steady value', () => {
    expect(columns({ points: [...quiet, point(60_000, 7)], gaps: [] }, 0).last).toEqual([5, 5, 5, 5, null, 7]);
  });
  it('is broken over a recorded gap', () => {
    const gaps = [{ from: 1_600, to: 1_900, lost: 3, why: 'overflow', why_zh: '写入不及' }];
    expect(columns({ points: quiet, gaps }, 0).last).toEqual([5, 5, null, 5, 5]);
  });
  it('is broken where all readings were bad', () => {
    const shown = columns({ points: [point(0, 5), point(1_000, null, 1), point(2_000, 6)], gaps: [] }, 0);
    expect(shown.last).toEqual([5, null, 6]);
    expect(shown.bad).toEqual([0, 1, 0]);
  });
  it('climbs in time and stands in civil time', () => {
    const shown = columns({ points: [point(1_000, 1), point(900, 2)], gaps: [] }, 8 * 3_600_000);
    expect(shown.at[0]).toBe(8 * 3600 + 1.25);
    expect(shown.at[1]).toBeGreaterThan(shown.at[0] ?? 0);
  });
});

describe('the range of a trend', () => {
  const shown = columns({ points: [point(0, 40), point(1_000, 60)], gaps: [] }, 0);
  it('shows limits that are near and leaves out those that would flatten the line', () => {
    const [low, high] = range(shown, [80, 4_000]);
    expect(high).toBeGreaterThan(80);
    expect(high).toBeLessThan(90);
    expect(low).toBeLessThan(40);
  });
  it('has a height for a value that never changes, and for none', () => {
    const flat = columns({ points: [point(0, 7)], gaps: [] }, 0);
    const [low, high] = range(flat, []);
    expect(high).toBeGreaterThan(low);
    expect(range(columns({ points: [], gaps: [] }, 0), [80])[1]).toBeGreaterThan(80);
  });
});

it('asks with the tag as one segment and with no more points than there are columns', () => {
  expect(historyPath('ent/P-101A/B', 5.5, 9.2, 640)).toBe('/api/v1/tags/ent/P-101A%2FB/history?from=5&to=10&points=640');
  expect(historyPath('ent/1#罐', 0, 1, 9_999)).toContain('/ent/1%23%E7%BD%90/history?from=0&to=1&points=1000');
});

describe('the names of limits in a trend', () => {
  it('stand at their lines where there is room', () => {
    expect(spread([100, 200, 50], 15, 0, 300)).toEqual([100, 200, 50]);
  });
  it('are pushed below their lines where these lie together, in the order of the lines', () => {
    expect(spread([104, 100], 15, 0, 300)).toEqual([122, 100]);
  });
  it('stay inside the plot at its ends', () => {
    expect(spread([2, 3], 15, 0, 300)).toEqual([20, 35]);
    expect(spread([299, 298], 15, 0, 300)).toEqual([300, 285]);
  });
});
