import { type Key, type Lang, type Params, say, sayOr } from './i18n';
import { keep, kept } from './keep';

class Language {
  current = $state<Lang>(kept('lang') === 'en' || (kept('lang') === null && !navigator.language.startsWith('zh')) ? 'en' : 'zh');

  set(lang: Lang): void {
    this.current = lang;
    keep('lang', lang);
    document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  }
}

export const language = new Language();
document.documentElement.lang = language.current === 'zh' ? 'zh-CN' : 'en';

/** The words of `key` in the language shown. */
export function t(key: Key, params?: Params): string {
  return say(language.current, key, params);
}

/** As `t`, for a name that came from the server. */
export function named(prefix: string, name: string, fallback: string = name): string {
  return sayOr(language.current, `${prefix}.${name}`, fallback);
}

/** One of two texts the server sent. */
export function either(of: { text_zh?: string; text_en?: string }): string {
  const zh = of.text_zh ?? of.text_en ?? '';
  return language.current === 'zh' ? zh : (of.text_en ?? zh);
}
