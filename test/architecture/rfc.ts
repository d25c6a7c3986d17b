// `npm run rfc 5321`: where an RFC is implemented and where it is tested, section by section. Without a number: the list
// of all RFCs that are cited, with their titles and what became of them here.

import { rfcs } from '../../src/rfcs.ts';
import { bySection, citationsOf } from './citations.ts';
import { trackedFiles } from './source-tree.ts';

const wanted = process.argv[2];
const all = trackedFiles()
  .filter((file) => /^(?:src|test)\//.test(file.path) && !file.path.endsWith('rfcs.ts'))
  .flatMap(citationsOf);

if (wanted === undefined) {
  for (const rfc of rfcs) {
    const count = all.filter((citation) => citation.number === rfc.number).length;
    console.log(
      `RFC ${String(rfc.number).padEnd(5)} ${rfc.here.padEnd(10)} ${String(count).padStart(4)}  ${rfc.title}`,
    );
  }
} else {
  const number = Number(wanted.replace(/^rfc\s*/i, ''));
  const rfc = rfcs.find((each) => each.number === number);
  const cited = all.filter((citation) => citation.number === number).sort(bySection);
  if (rfc) console.log(`RFC ${number}: ${rfc.title} (${rfc.here})`);
  else console.log(`RFC ${number} is not in src/rfcs.ts`);
  let section: string | undefined;
  for (const citation of cited) {
    if (citation.section !== section)
      console.log(`\n${citation.section === '' ? 'as a whole' : `§${citation.section}`}`);
    section = citation.section;
    console.log(`  ${citation.path}:${citation.line}`);
  }
  process.exitCode = rfc && cited.length > 0 ? 0 : 1;
}
