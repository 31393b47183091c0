// A tag's past as the trend draws it. The server gathers readings to points; here it is only decided where the line is broken:
// no line is drawn over a time of which nothing is known.

import type { History, HistoryPoint, Tag } from './types';

/** Spans one can choose, in milliseconds; the key names their words. */
export const SPANS = [
  ['trend.hour', 3_600_000],
  ['trend.shift', 8 * 3_600_000],
  ['trend.day', 24 * 3_600_000],
  ['trend.week', 7 * 24 * 3_600_000],
  ['trend.quarter', 90 * 24 * 3_600_000],
  ['trend.year', 365 * 24 * 3_600_000],
] as const;

/** Points asked for at most: more than a screen has columns is only traffic. */
const POINTS_MAX = 1_000;
const POINTS_MIN = 100;
/** A pause this many times the usual distance between points breaks the line. */
const PAUSE = 4;

export function historyPath(tag: string, from: number, to: number, width: number): string {
  const slash = tag.indexOf('/');
  const [enterprise, name] = [tag.slice(0, slash), tag.slice(slash + 1)].map(encodeURIComponent);
  const points = Math.min(POINTS_MAX, Math.max(POINTS_MIN, Math.round(width)));
  return `/api/v1/tags/${enterprise}/${name}/history?from=${Math.floor(from)}&to=${Math.ceil(to)}&points=${points}`;
}

/** Columns of equal length: seconds in the plant's civil time, and values; null is no value. */
export interface Columns {
  at: number[];
  min: (number | null)[];
  max: (number | null)[];
  last: (number | null)[];
  /** Readings without a usable value at that point. */
  bad: number[];
}

/** The usual distance between neighbouring points; 0 with fewer than three. */
function pace(points: HistoryPoint[]): number {
  const steps = points.slice(1).map((point, at) => point.from - (points[at]?.from ?? 0));
  steps.sort((a, b) => a - b);
  return steps.length < 2 ? 0 : (steps[Math.floor(steps.length / 2)] ?? 0);
}

/** What is drawn. The line is broken at a pause and at a recorded gap. */
export function columns(history: Pick<History, 'points' | 'gaps'>, offset: number): Columns {
  const out: Columns = { at: [], min: [], max: [], last: [], bad: [] };
  const usual = pace(history.points);
  let before: HistoryPoint | null = null;
  for (const point of history.points) {
    if (before !== null) {
      const [from, to] = [before.to, point.from];
      const paused = usual > 0 && to - from > PAUSE * usual;
      const lost = history.gaps.some((gap) => gap.from <= to && gap.to >= from && gap.to > gap.from);
      if (paused || lost) push(out, (from + to) / 2 + offset, null);
    }
    push(out, (point.from + point.to) / 2 + offset, point);
    before = point;
  }
  return out;
}

function push(out: Columns, at: number, point: HistoryPoint | null): void {
  // Points may overlap by a little where readings came out of order; a chart wants times that climb.
  out.at.push(Math.max(at / 1000, (out.at[out.at.length - 1] ?? Number.NEGATIVE_INFINITY) + 1e-3));
  out.min.push(point?.min ?? null);
  out.max.push(point?.max ?? null);
  out.last.push(point?.last ?? null);
  out.bad.push(point?.bad ?? 0);
}

type Scale = Pick<Tag, 'range' | 'decimals' | 'labels' | 'unit'>;

/** Of the measuring range, where there is one: less than that is noise and is drawn as such. */
const LEAST_OF_RANGE = 0.02;
/** Without a range: so many of the smallest steps it is written with, or so much of the value itself. */
const LEAST_STEPS = 10;
const LEAST_OF_VALUE = 0.01;
/** The axis of what is only ever yes or no. */
const JUDGED: [number, number] = [-0.1, 1.1];

function seen(shown: Columns): number[] {
  return [...shown.min, ...shown.max].filter((value): value is number => value !== null);
}

/** Whether it says yes or no: it has words for both, or it measures nothing and was never anything else. */
export function isJudged(shown: Columns, tag: Scale): boolean {
  const values = seen(shown);
  const plain = tag.labels !== null || (tag.range === null && tag.unit === '' && values.length > 0);
  return plain && values.every((value) => value === 0 || value === 1);
}

/** The lowest and highest value to show: the readings, and the limits as long as the readings keep half of the height. */
export function range(shown: Columns, limits: number[], tag: Scale): [number, number] {
  if (isJudged(shown, tag)) return JUDGED;
  const values = seen(shown);
  if (values.length === 0) return limits.length > 0 ? padded(Math.min(...limits), Math.max(...limits)) : [0, 1];
  let [low, high] = widened(Math.min(...values), Math.max(...values), tag);
  const most = 2 * (high - low);
  const outside = (limit: number): number => Math.max(low - limit, limit - high, 0);
  for (const limit of [...limits].sort((one, other) => outside(one) - outside(other))) {
    const [lower, higher] = [Math.min(low, limit), Math.max(high, limit)];
    if (higher - lower <= most) [low, high] = [lower, higher];
  }
  return padded(low, high);
}

/** At least the least span, about the readings; not past an end of the range, or below nothing, which they keep to. */
function widened(low: number, high: number, { range, decimals }: Scale): [number, number] {
  const measures = range === null ? 0 : (range[1] - range[0]) * LEAST_OF_RANGE;
  const least = measures > 0 ? measures : Math.max(LEAST_STEPS * 10 ** -decimals, LEAST_OF_VALUE * Math.max(Math.abs(low), Math.abs(high)));
  const lack = least - (high - low);
  if (lack <= 0) return [low, high];
  let from = low - lack / 2;
  const [bottom, top] = range ?? [low >= 0 ? 0 : Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (low >= bottom && from < bottom) from = bottom;
  if (high <= top && from + least > top) from = top - least;
  return [from, from + least];
}

function padded(low: number, high: number): [number, number] {
  const room = high > low ? (high - low) * 0.08 : Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

/** On which side of the axis a limit lies that is not on it. */
export function beyond(limit: number, [low, high]: readonly [number, number]): '↑' | '↓' | null {
  return limit > high ? '↑' : limit < low ? '↓' : null;
}

/**
 * Where the names of lines are written so that none lies over another: each above its line where there is room, else below, in the order of
 * the lines. Positions grow downwards; a name takes `gap`, and all stay between `top` and `bottom` if they fit.
 */
export function spread(lines: readonly number[], gap: number, top: number, bottom: number): number[] {
  const order = lines.map((line, at) => ({ line, at })).sort((one, other) => one.line - other.line);
  const places = [...lines];
  let free = top + gap;
  for (const { line, at } of order) {
    // One that is pushed away goes below its line, not onto it.
    const place = line < free ? Math.max(line + 1.2 * gap, free) : line;
    places[at] = place;
    free = place + gap;
  }
  let lowest = bottom;
  for (const { at } of order.reverse()) {
    const place = Math.min(places[at] ?? lowest, lowest);
    places[at] = place;
    lowest = place - gap;
  }
  return places;
}
