// The page on which a person says who they are, as Access would show one. Deliberately not here: what follows from it.

const WORDS = {
  en: { title: "Sign in to Tideclaw", note: "This stands in for Cloudflare Access on this machine: any address is taken, no code is sent.", email: "E-mail address", as: "Sign in" },
  ru: { title: "Вход в Tideclaw", note: "Это вместо Cloudflare Access на этом компьютере: подойдёт любой адрес, код не нужен.", email: "Адрес почты", as: "Войти" },
};

const STYLE = `
  :root { color-scheme: light dark; --page: #f3f5f8; --card: #fff; --ink: #17202a; --soft: #5d6b7a; --line: #d5dbe2; --accent: #0b6bcb; }
  @media (prefers-color-scheme: dark) { :root { --page: #11161c; --card: #1a212a; --ink: #e6ebf0; --soft: #94a3b3; --line: #2c3743; --accent: #2f7fd6; } }
  body { margin: 0; min-height: 100dvh; display: grid; place-items: center; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
  form { box-sizing: border-box; width: min(92vw, 380px); padding: 28px; border: 1px solid var(--line); border-radius: 16px; background: var(--card); display: grid; gap: 14px; }
  h1 { margin: 0; font-size: 21px; }
  p { margin: 0; color: var(--soft); font-size: 14px; }
  label { display: grid; gap: 4px; font-size: 14px; }
  input, button { font: inherit; padding: 11px 13px; border-radius: 10px; border: 1px solid var(--line); background: var(--page); color: inherit; }
  button { border: 0; background: var(--accent); color: #fff; font-weight: 600; cursor: pointer; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }`;

const escape = (text) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** The page; `back` is the path it leads to afterwards. */
export function signInPage({ action, back, email, language = "" }) {
  const lang = /^\s*ru\b/i.test(language) ? "ru" : "en";
  const words = WORDS[lang];
  return `<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${words.title}</title>
<style>${STYLE}</style>
</head>
<body>
<form method="post" action="${escape(action)}">
<h1>🌊 ${words.title}</h1>
<p>${words.note}</p>
<label>${words.email}<input type="email" name="email" value="${escape(email)}" required maxlength="254" autocomplete="username"></label>
<input type="hidden" name="back" value="${escape(back)}">
<button autofocus>${words.as}</button>
</form>
</body>
</html>
`;
}
