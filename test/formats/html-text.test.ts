// HTML as its text, whole and in pieces of every size.

import { describe, expect, test } from 'vitest';
import { HtmlText } from '../../src/formats/html-text.ts';

function textOf(html: string, size = html.length): string {
  const reader = new HtmlText();
  let text = '';
  for (let at = 0; at < html.length; at += size) text += reader.push(html.slice(at, at + size));
  return text + reader.end();
}

const CASES: readonly (readonly [html: string, text: string])[] = [
  ['plain', 'plain'],
  ['<p>one</p><p>two</p>', 'one two '],
  ['f<b>oo</b>bar', 'foobar'],
  ['one<br>two<BR/>three', 'one two three'],
  ['one\r\n   two&nbsp;three', 'one two three'],
  ['<a href="x>y" title=\'a"b>\'>link</a>!', 'link!'],
  ["<p it's>quote</p>", 'quote '],
  ['a &lt;b&gt; &amp;amp; &#8364; &#x20AC; &euro; &Ouml;l', 'a <b> &amp; € € € Öl'],
  ['AT&T &unknown; &#0; &#xD800; & &', 'AT&T &unknown; \ufffd \ufffd & &'],
  ['caf&eacute', 'café'],
  ['a < b, 3<4', 'a < b, 3<4'],
  ['<!DOCTYPE html><?xml version="1.0"?>x', 'x'],
  ['x<!-- <p>no</p> -- > -->y', 'xy'],
  ['<!-->a<!--->b<!-- c -->d', 'abd'],
  ['don&#146;t &#x80;5 &#x9f;', 'don’t €5 Ÿ'],
  ['&Alpha;&omega;&zwnj;&ensp;&rarr;&hearts;&thinsp;x', 'Αω\u200c →♥ x'],
  ['?a=1&part=2&pi=3', '?a=1&part=2&pi=3'],
  ['<style>p { content: "</p>" }</style>x<SCRIPT a="b">if (a < b) "</p>";</Script >y', 'xy'],
  ['<title>T</title><body>B</body>', 'T B '],
  ['ends in <a href="never', 'ends in '],
  ['ends in <!-- never', 'ends in '],
  ['ends in <script> never </scrip', 'ends in '],
  ['東<i>京</i>', '東京'],
];

describe('HTML as text', () => {
  test.each(CASES)('%s', (html, text) => {
    expect(textOf(html)).toBe(text);
    for (const size of [1, 2, 3, 7, 19]) expect(textOf(html, size), `in pieces of ${size}`).toBe(text);
  });

  test('is made in one pass of hostile HTML', () => {
    // Without the other character that text ends at, too.
    for (const sign of ['&', '<']) expect(textOf(sign.repeat(3_000_000))).toBe(sign.repeat(3_000_000));
    for (const part of ['<', '&', '<!--', '<script>', '<a "', '&#', '</script', "<a x='", '<a =']) {
      const html = part.repeat(100_000);
      expect(textOf(html, 4_096).length).toBeLessThanOrEqual(html.length);
    }
  });
});
