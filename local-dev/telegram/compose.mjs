// Builds what people send: message content with the entities Telegram finds, media with small sample files, forwards.
// Deliberately not here: who gets the update (control.mjs).

import { deflateSync, crc32 } from 'node:zlib';

const PATTERNS = [
  ['bot_command', /(?<![\w/@<>])\/[a-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/])/gi],
  ['url', /\b(?:https?:\/\/|www\.)[^\s<>"]*[^\s<>".,;:!?)\]}'»”]|(?<![\w@.\/])[a-z0-9-]+\.(?:com|org|net|dev|io|ai|ru|app|me)(?:\/[^\s<>"]*[^\s<>".,;:!?)\]}'»”])?(?![\w-])/gi],
  ['email', /\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b/g],
  ['mention', /(?<![\w@.\/])@[a-z]\w{3,31}\b/gi],
  ['hashtag', /(?<![\w#&/])#(?=\d*[\p{L}_])[\p{L}\p{N}_]{1,256}/gu],
];

/** Entities the server finds in any text. */
export function findEntities(text) {
  const found = [];
  for (const [type, pattern] of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const entity = { type, offset: match.index, length: match[0].length };
      if (!found.some((f) => entity.offset < f.offset + f.length && f.offset < entity.offset + entity.length)) found.push(entity);
    }
  }
  return found.sort((a, b) => a.offset - b.offset);
}

/** A PNG of one colour gradient, so that a photo shows as something. */
export function samplePng(width = 96, height = 64, hue = 0) {
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * (width * 3 + 1) + 1 + x * 3;
      rows[at] = (60 + (x / width) * 150 + hue) & 255;
      rows[at + 1] = 90 + (y / height) * 120;
      rows[at + 2] = 200 - (x / width) * 100;
    }
  }
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

const sampleOgg = () => Buffer.concat([Buffer.from('OggS\0\x02', 'latin1'), Buffer.alloc(22), Buffer.from('\x01\x13OpusHead', 'latin1'), Buffer.alloc(2000)]);

/** Bytes of a file: `bytes` (a Buffer), `base64` or `content` (text), else a sample. */
const bytesOf = (spec, fallback) => (spec.bytes !== undefined ? spec.bytes : spec.base64 !== undefined ? Buffer.from(spec.base64, 'base64') : spec.content !== undefined ? Buffer.from(spec.content) : fallback());

const asSpec = (value) => (value === true ? {} : value);

/** @type {Record<string, (world: object, spec: object) => object>} */
const MEDIA = {
  photo(world, spec) {
    const big = world.addFile({ bytes: bytesOf(spec, () => samplePng(192, 128, spec.hue ?? 0)), name: 'photo.png', mime: 'image/png', size: spec.size });
    const small = world.addFile({ bytes: samplePng(48, 32, spec.hue ?? 0), name: 'thumb.png', mime: 'image/png' });
    return { photo: [{ ...fileFields(small), width: 90, height: 60 }, { ...fileFields(big), width: spec.width ?? 1280, height: spec.height ?? 853 }] };
  },
  voice(world, spec) {
    const file = world.addFile({ bytes: bytesOf(spec, sampleOgg), name: 'voice.oga', mime: 'audio/ogg', size: spec.size });
    return { voice: { ...fileFields(file), duration: spec.duration ?? 4, mime_type: spec.mime_type ?? 'audio/ogg' } };
  },
  document(world, spec) {
    const name = spec.file_name ?? 'notes.txt';
    const mime = spec.mime_type ?? 'text/plain';
    const file = world.addFile({ bytes: bytesOf(spec, () => Buffer.from('Three notes:\n1. tea\n2. bread\n3. light bulbs\n')), name, mime, size: spec.size });
    return { document: { ...fileFields(file), file_name: name, mime_type: mime } };
  },
  video(world, spec) {
    const file = world.addFile({ bytes: bytesOf(spec, () => Buffer.alloc(1000)), name: 'video.mp4', mime: 'video/mp4', size: spec.size });
    return { video: { ...fileFields(file), width: 640, height: 360, duration: spec.duration ?? 5, mime_type: 'video/mp4', ...(spec.file_name && { file_name: spec.file_name }) } };
  },
  audio(world, spec) {
    const file = world.addFile({ bytes: bytesOf(spec, () => Buffer.alloc(1000)), name: 'song.mp3', mime: 'audio/mpeg', size: spec.size });
    return { audio: { ...fileFields(file), duration: spec.duration ?? 60, mime_type: 'audio/mpeg', file_name: spec.file_name ?? 'song.mp3' } };
  },
  video_note(world, spec) {
    const file = world.addFile({ bytes: bytesOf(spec, () => Buffer.alloc(1000)), name: 'note.mp4', mime: 'video/mp4', size: spec.size });
    return { video_note: { ...fileFields(file), length: 240, duration: spec.duration ?? 5 } };
  },
  sticker(world, spec) {
    const file = world.addFile({ bytes: bytesOf(spec, () => samplePng(64, 64)), name: 'sticker.webp', mime: 'image/webp' });
    return { sticker: { ...fileFields(file), type: 'regular', width: 512, height: 512, is_animated: false, is_video: false, emoji: spec.emoji ?? '👍', set_name: 'Sample' } };
  },
  location: (_, spec) => ({ location: { latitude: spec.latitude ?? 52.52, longitude: spec.longitude ?? 13.405 } }),
  contact: (_, spec) => ({ contact: { phone_number: spec.phone_number ?? '+491700000000', first_name: spec.first_name ?? 'Ada' } }),
  dice: (_, spec) => ({ dice: { emoji: spec.emoji ?? '🎲', value: spec.value ?? 4 } }),
};

export const mediaKinds = Object.keys(MEDIA);

const fileFields = ({ file_id, file_unique_id, file_size }) => ({ file_id, file_unique_id, file_size });

/** `forward` of a send: true | 'user' | 'hidden_user' | 'chat' | 'channel' | a whole MessageOrigin. */
function originOf(world, forward) {
  const date = world.date() - 3600;
  if (typeof forward === 'object') return { date, ...forward };
  switch (forward) {
    case 'hidden_user':
      return { type: 'hidden_user', date, sender_user_name: 'Somebody' };
    case 'chat':
      return { type: 'chat', date, sender_chat: { id: -1001000000777, type: 'supergroup', title: 'Other group' } };
    case 'channel':
      return { type: 'channel', date, message_id: 5, chat: { id: -1001000000888, type: 'channel', title: 'The News' } };
    default:
      return { type: 'user', date, sender_user: { id: 1099, is_bot: false, first_name: 'Grace', language_code: 'en' } };
  }
}

/** Fields of a message from what a `send` asks for. */
export function contentOf(world, spec) {
  const out = {};
  const kind = mediaKinds.find((name) => spec[name] !== undefined && spec[name] !== false);
  const entitiesOf = (text) => (spec.entities?.length ? [...spec.entities] : findEntities(text));
  if (kind) {
    Object.assign(out, MEDIA[kind](world, asSpec(spec[kind])));
    const caption = spec.caption ?? spec.text;
    if (caption !== undefined) {
      out.caption = caption;
      const entities = entitiesOf(caption);
      if (entities.length) out.caption_entities = entities;
    }
  } else if (spec.text !== undefined) {
    out.text = spec.text;
    const entities = entitiesOf(spec.text);
    if (entities.length) out.entities = entities;
  }
  if (spec.media_group_id) out.media_group_id = spec.media_group_id;
  if (spec.forward) out.forward_origin = originOf(world, spec.forward);
  return { ...out, ...spec.message };
}

/** Splits a long text as the apps do: whole 4096-unit pieces, never inside a surrogate pair. */
export function splitLikeApp(text, size = 4096) {
  const pieces = [];
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + size, text.length);
    if (end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00) end -= 1;
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces.length ? pieces : [''];
}
