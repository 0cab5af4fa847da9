import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeMarkdown, plain, plainLines, plainMessage } from '../src/plain';

/** parseLinkedText in VS Code 1.96, src/vs/base/common/linkedText.ts. */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
/** labelWithIconsRegex in VS Code 1.96, src/vs/base/browser/ui/iconLabel/iconLabels.ts; it forgives a backslash. */
const ICON = /\$\([A-Za-z0-9-]+(?:~[A-Za-z]+)?\)/;
const OBEYED = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/u;

const ZOO: [string, string][] = [
  ['x\x1b]0;T\x07', 'x\\x1b]0;T\\x07'],
  ['a\nhint: b\r\nc\td', 'a\\nhint: b\\r\\nc\\td'],
  ['\x7f\x85\x9b31m', '\\x7f\\x85\\x9b31m'],
  ['a\u202etxt.exe\u2066\u2069\u200e\u200f\u061c', 'a\\u202etxt.exe\\u2066\\u2069\\u200e\\u200f\\u061c'],
  ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['a\ud83db\udcff\ude00\ud83d', 'a\\ud83db\\udcff\\ude00\\ud83d'],
  ['größe 日本\u3000語 👩\u200d💻 \u00a0\ue0b0', 'größe 日本\u3000語 👩\u200d💻 \u00a0\ue0b0'],
  ['a\\x1b"b\'[c] (d) $e {f} *g* `h` <i> #j', 'a\\x1b"b\'[c] (d) $e {f} *g* `h` <i> #j'],
  ['[Click](command:a.b)', '[Click]\u2060(command:a.b)'],
  ['[a](https://b "c") and [d](file:e)', '[a]\u2060(https://b "c") and [d]\u2060(file:e)'],
  ['$(sync) \\$(sync~spin) $$((x))', '$\u2060(sync) \\$\u2060(sync~spin) $$\u2060((x))'],
];

for (const [text, shown] of ZOO) {
  test(`${JSON.stringify(text)} is shown as the text that it is`, () => {
    assert.equal(plain(text), shown);
    assert.equal(plain(shown), shown);
  });
}

test('whatever is put together, nothing of it is a link, an icon or a control, and the eye sees the same', () => {
  const pieces = ['[', ']', '(', ')', '$', '\\', '\n', '\x1b', '\u202e', '](', '$(', '$(x)', '[a](command:b)', 'https://c'];
  let seed = 1;
  const next = (below: number): number => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  for (let round = 0; round < 20000; round += 1) {
    const text = Array.from({ length: next(12) }, () => pieces[next(pieces.length)]).join('');
    const shown = plain(text);
    for (const pattern of [LINK, ICON, OBEYED]) {
      assert.doesNotMatch(shown, pattern, JSON.stringify(text));
    }
    const controls = text.replaceAll('\n', '\\n').replaceAll('\x1b', '\\x1b').replaceAll('\u202e', '\\u202e');
    assert.equal(shown.replaceAll('\u2060', ''), controls);
  }
});

test('the patterns find what they are about', () => {
  assert.match('a [b](command:c) d', LINK);
  assert.match('a $(b~c) d', ICON);
  assert.match('\ud800', OBEYED);
});

test('lines stay lines, and a message becomes one', () => {
  assert.equal(plainLines('a\n[b](c)\n\td'), 'a\n[b]\u2060(c)\n\\td');
  assert.equal(plainMessage('2 problems:\n/a: b\n/c: \td'), '2 problems: /a: b /c: \\td');
});

test('in Markdown, text is shown letter for letter, and makes no links, icons or lines', () => {
  assert.equal(
    escapeMarkdown('[a](b) $(sync) <i>\n# x'),
    '\\[a\\]\u2060\\(b\\) \\$\u2060\\(sync\\) \\<i\\>\\\\n\\# x',
  );
});
