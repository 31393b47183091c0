// The four limits of a tag as they are shown: the one in force, and the configured one where the operating mode 工况 has another.

import type { Key } from './i18n';
import type { Tag } from './types';

export interface LimitShown {
  key: Key;
  condition: string;
  /** In force; null is no limit. */
  value: number | null;
  /** The configured limit, where another is in force. */
  base: number | null;
  /** 设计抑制: raises are recorded by it and told to nobody. */
  suppressed: boolean;
}

const ALL = [
  ['low_low', 'low-low', 'limit.ll'],
  ['low', 'low', 'limit.l'],
  ['high', 'high', 'limit.h'],
  ['high_high', 'high-high', 'limit.hh'],
] as const;

/** Lowest first. */
export function limitsOf(tag: Pick<Tag, 'limits' | 'limits_in_force' | 'suppressed'>): LimitShown[] {
  return ALL.map(([field, condition, key]) => {
    const [value, base] = [tag.limits_in_force[field], tag.limits[field]];
    return { key, condition, value, base: value === base ? null : base, suppressed: tag.suppressed.includes(condition) };
  });
}
