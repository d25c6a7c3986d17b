// Five letters in two conversations, for what SORT, THREAD and FUZZY make of them.

const letters: readonly (readonly string[])[] = [
  [
    'Date: Fri, 3 Mar 2000 10:00:00 +0000',
    'From: "Zoe" <adam@example.test>',
    'To: bob@example.test',
    'Cc: yves@example.test',
    'Subject: Tea',
    'Message-ID: <1@example.test>',
    '',
    'Five long lines about tea, all of them much longer than they have to be.',
  ],
  [
    'Date: Thu, 2 Mar 2000 10:00:00 +0000',
    'From: =?utf-8?q?=C3=81lvaro?= <zeno@example.test>',
    'To: alice@example.test',
    'Subject: re: TEA',
    'In-Reply-To: <1@example.test>',
    'Message-ID: <2@example.test>',
    '',
    'Short.',
  ],
  [
    'Date: Sun, 5 Mar 2000 10:00:00 +0000',
    'From: mia@example.test',
    'To: "Carl" <zara@example.test>',
    'Subject: Apples',
    'Message-ID: <3@example.test>',
    '',
    'Green apples, and a pot of tea.',
  ],
  [
    'Date: Sat, 4 Mar 2000 12:00:00 +0200',
    'From: Bea <nora@example.test>',
    'To: carl@example.test',
    'Cc: xenia@example.test',
    'Subject: Re: [fruit] apples (fwd)',
    'References: <3@example.test>',
    'Message-ID: <4@example.test>',
    '',
    'Red apples. Green pears.',
  ],
  [
    'Date: Mon, 6 Mar 2000 10:00:00 +0000',
    'From: kim@example.test',
    'To: dora@example.test',
    'Subject: Fw: Apples',
    'Message-ID: <5@example.test>',
    '',
    'Nothing more about them.',
  ],
];

export const CONVERSATION: readonly string[] = letters.map((lines) => `${lines.join('\r\n')}\r\n`);
