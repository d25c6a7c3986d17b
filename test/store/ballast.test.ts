// What is given up on a full disk: it is there once there is room for it, and holds that room.

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Ballast } from '../../src/store/writer/ballast.ts';

/** Not of whole pieces. */
const BALLAST = 3_000_001;

let folder: string;
let path: string;
let ballast: Ballast;
const warnings: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-ballast-'));
  path = join(folder, 'ballast');
  warnings.length = 0;
  ballast = new Ballast(path, BALLAST, (text) => warnings.push(text));
});

afterEach(() => rmSync(folder, { recursive: true }));

it('is taken in where the disk has it to spare, and takes what it says', () => {
  ballast.keep(BALLAST - 1);
  expect(readdirSync(folder)).toEqual([]);
  ballast.keep(BALLAST);
  expect(statSync(path)).toMatchObject({ size: BALLAST, mode: 0o100600 });
  expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(BALLAST);
});

it('is not written again, but where it is not whole', () => {
  ballast.keep(BALLAST);
  const { ino, mtimeNs } = statSync(path, { bigint: true });
  ballast.keep(2 * BALLAST);
  expect(statSync(path, { bigint: true })).toMatchObject({ ino, mtimeNs });
  writeFileSync(path, 'half');
  ballast.keep(2 * BALLAST);
  expect(statSync(path).size).toBe(BALLAST);
});

it('is given up once, and said to be', () => {
  ballast.keep(BALLAST);
  expect([ballast.drop(), ballast.drop()]).toEqual([true, false]);
  expect(readdirSync(folder)).toEqual([]);
  expect(warnings).toEqual([`The disk is full: ${path} is given up, so that mail can be deleted`]);
});

it('leaves nothing where it cannot be written', () => {
  const nowhere = new Ballast(join(folder, 'missing/ballast'), BALLAST, (text) => warnings.push(text));
  nowhere.keep(BALLAST);
  expect([nowhere.drop(), warnings]).toEqual([false, []]);
});
