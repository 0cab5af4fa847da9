// Text from elsewhere, so that VS Code shows it as the text that it is. Knows nothing of VS Code.
//
// A path, a tag or a message of the server's holds what somebody else chose. VS Code makes links of `[text](href)` in
// notifications and prompts, some of which run commands, and icons of `$(name)` in its bars, trees and lists.

/** It has no width, and no line is broken at it: the eye sees the same text with it as without. */
const JOINER = '\u2060';

/** What is obeyed rather than shown: controls, ends of lines, directions of writing, halves of surrogate pairs. */
const OBEYED = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** A text in one line of text, and nothing else: no link, no icon, no control character. */
export function plain(text: string): string {
  return text.replace(OBEYED, escaped).replace(/([\]$])(?=\()/g, `$1${JOINER}`);
}

/** Lines, of which each is plain. */
export function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}

/** A message of the server's in one line, whether it has several or not. */
export function plainMessage(message: string): string {
  return plain(message.replaceAll('\n', ' '));
}

/** A text so that Markdown shows it letter for letter and in one line. */
export function escapeMarkdown(text: string): string {
  return plain(text)
    .replace(/ +/g, ' ')
    .replace(/[!-/:-@[-`{-~]/g, '\\$&');
}

/** As the server and the command line spell it. */
function escaped(character: string): string {
  const code = character.charCodeAt(0);
  const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
  return short ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
