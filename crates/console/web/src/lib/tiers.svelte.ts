import { language } from './lang.svelte';
import { live } from './live.svelte';

/** What a tier is called: tiers are data, so their names come from the engine. */
export function tierWord(tier: number): string {
  const named = live.overview?.tiers.find((known) => known.tier === tier);
  return named === undefined ? String(tier) : language.current === 'zh' ? named.zh : named.en;
}
