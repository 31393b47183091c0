import type { Tag } from './types';

type Shape = Pick<Tag, 'unit' | 'decimals' | 'labels'>;

/** A value as people read it: with its digits and unit, or by its label for a discrete signal; `—` is no value. */
export function reading(tag: Shape, value: number | null): string {
  if (value === null) return '—';
  if (tag.labels !== null) return tag.labels[value === 0 ? 0 : 1];
  const text = value.toFixed(tag.decimals);
  return tag.unit === '' ? text : `${text} ${tag.unit}`;
}

/** A limit without its unit; `/` is none, as setpoint lists write it. */
export function limit(tag: Shape, value: number | null | undefined): string {
  return value == null ? '/' : value.toFixed(tag.decimals);
}
