// Whether Telegram takes a URL in an entity or a button. Follows parse_url and check_link of TDLib (td/utils/HttpUrl.cpp,
// LinkManager.cpp), with one addition: mailto: and other schemes, which TDLib reads as user@host and turns into a
// broken http link, are refused. Deliberately not here: whether the address exists.

const hostCharacter = /^[a-z0-9.\-_!$,~*'();&+=\u0080-\u{10ffff}]$/iu;

function checkPart(part, name, allowColon) {
  for (let i = 0; i < part.length; ) {
    const c = String.fromCodePoint(part.codePointAt(i));
    if (c === '%') {
      if (!/^%[0-9a-f]{2}/i.test(part.slice(i))) return `Wrong percent-encoded symbol in URL ${name}`;
      i += 3;
      continue;
    }
    if (!hostCharacter.test(c) && !(allowColon && c === ':')) return `Disallowed character in URL ${name}`;
    i += c.length;
  }
  return null;
}

/** @param {string} url @returns {string|null} why Telegram refuses it */
export function checkUrl(url) {
  if (url === '') return 'URL is empty';
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1].toLowerCase();
  const isOwn = scheme === 'tg' || scheme === 'ton';
  let rest = url;
  if (isOwn) rest = url.slice(scheme.length + 1).replace(/^\/\//, '');
  else if (/^[^:]*:\/\//.test(url)) {
    if (scheme !== 'http' && scheme !== 'https') return 'Unsupported URL protocol';
    rest = url.slice(scheme.length + 3);
  } else if (scheme && !/^[^/?#]*:\d+(?:[/?#]|$)/.test(url)) return 'Unsupported URL protocol';

  const authority = /^[^/?#]*/.exec(rest)[0];
  const port = /:([^:\]@]*)$/.exec(authority);
  if (port && port.index > 0) {
    if (!/^\d+$/.test(port[1]) || Number(port[1]) === 0 || Number(port[1]) > 65535) return 'Wrong port number specified in the URL';
  }
  const userinfoHost = port && port.index > 0 ? authority.slice(0, port.index) : authority;
  const at = userinfoHost.lastIndexOf('@');
  const userinfo = at < 0 ? '' : userinfoHost.slice(0, at);
  const host = userinfoHost.slice(at + 1);
  const isIpv6 = /^\[[0-9a-f:.]+\]$/i.test(host);
  if (host === '') return 'URL host is empty';
  if (host === '.') return 'Host is invalid';
  if (!isIpv6) {
    const wrong = checkPart(host, 'host', false) ?? checkPart(userinfo, 'userinfo', true);
    if (wrong) return wrong;
  }
  if (isOwn) {
    if (userinfo || port || isIpv6) return `Wrong ${scheme} URL`;
    return /^[a-z0-9_-]+$/i.test(host) ? null : 'Unallowed characters in URL host';
  }
  return host.includes('.') || isIpv6 ? null : 'Wrong HTTP URL';
}
