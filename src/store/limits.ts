// Every bound of the Message Store in one table, with its reason. Nothing in the store grows without one of these.

export const Limit = {
  /** A body is kept in chunks of this many octets: what one read or one freeing step handles. */
  chunkOctets: 65_536,
  /** Chunks of one body: their number stands in 16 bits beside the body's id, so a body has at most 4 GiB. */
  chunksPerBody: 65_536,
  /** A body up to this size stays in memory and travels with its command. */
  tailOctets: 1_048_576,
  /** Fewer octets are sooner copied to another thread than handed over. */
  copiedOctets: 16_384,
  /** While all sessions together hold more than this in memory, bodies go to disk after one chunk. */
  stagingMemory: 33_554_432,
  /** Chunks of one body under way to the store thread: the window of its back-pressure. */
  stagingWindow: 4,
  /** Pieces of one body in memory before they are joined: each costs more than the octets of a small one. */
  stagingPieces: 64,
  /** Octets of one body, and of all bodies that are staged at a time (defaults). One body: the largest message_size with
   * room for what is written in front of it. */
  stagingPerSession: 301_989_888,
  stagingTotal: 4_294_967_296,
  /** Commands and octets that share one transaction: bounds how long its first command waits. */
  batchCommands: 512,
  batchOctets: 16_777_216,
  /** The write-ahead log (default), octets. Checkpoints begin at a quarter of it. */
  walOctets: 67_108_864,
  /** ms that opening and closing wait for whoever looks at the store from beside. */
  checkpointWait: 1_000,
  /** ms of one step of freeing, and the longest that freeing waits for an idle moment. */
  sweepSlice: 4,
  sweepPatience: 200,
  /** Rows that one step of freeing looks at before it reads the clock again. */
  sweepRows: 32,
  /** ms that an expunged message outlives its EXPUNGE at most, for views that have not been told. */
  tombstoneAge: 3_600_000,
  /** ms between two looks at the clock of a store where nothing happens. */
  tick: 60_000,
  /** Runs in the expunge log of one mailbox; the oldest beyond them become one, that many at a time. */
  vanishedRuns: 10_000,
  vanishedJoined: 256,
  /** Rows, and octets of a body, that one read returns. */
  pageRows: 500,
  readOctets: 1_048_576,
  /** Messages in all mailboxes of which the UIDs are kept at hand; 5 octets each. */
  indexedMessages: 4_000_000,
  /** Octets of what stands in front of a body for one recipient: keeps a page of rows near 1 MiB. */
  prefixOctets: 4_096,
  /** Keywords in use in one mailbox, and characters of one. */
  keywords: 256,
  keywordLength: 128,
  /** Mailboxes, and subscribed names, of one account; octets and levels of a name. */
  mailboxes: 10_000,
  subscriptions: 10_000,
  mailboxName: 1_000,
  mailboxDepth: 50,
  /** Annotations of one mailbox, or of the server, that all see, or one account alone; octets of one value; octets of all
   * names and values in the mailboxes of one account. */
  annotations: 100,
  annotationOctets: 32_768,
  annotationsOctets: 33_554_432,
  /** Entries of one access control list; mailboxes of others that one account is shown. */
  rights: 200,
  sharedMailboxes: 10_000,
  /** Message-IDs of one message that are looked up for its thread. */
  threadLookups: 12,
  /** Destinations that are named as due: more than anybody has connections. */
  dueDestinations: 20_000,
  /** Due entries among which the destinations that wait longest are looked for before all destinations are. */
  dueWindow: 2_000,
  /** Destinations that are suspended at a time, and entries that suspending or resuming one changes in one go. */
  suspensions: 10_000,
  suspensionSlice: 2_000,
  /** Entries for one destination that are put in order to list some of them; where there are more, the whole queue is
   * gone through. */
  sortedEntries: 5_000,
  /** TLS reports that wait to be handed over by HTTPS, and policies of received ones that are kept: the oldest go. */
  tlsPosts: 10_000,
  tlsReports: 50_000,
  /** Attempts of one queue entry that are remembered. */
  attempts: 50,
  /** The last attempts of an entry that keep their transcript, a few KB each; the first one keeps it too. */
  transcripts: 2,
  /** Bodies waiting for the deriver; more are derived when they are asked for. */
  deriverQueue: 100_000,
  /** Bodies derived in one transaction of derived.db, and octets above which a body is left to that thread. */
  deriverBatch: 8,
  derivedByCaller: 262_144,
  /** Octets of summaries that one read returns, or that wait to be kept; the last one may go beyond. */
  summaryOctets: 8_388_608,
  /** Octets of summaries that are kept in memory for whoever asks again. */
  recentSummaryOctets: 33_554_432,
  /** Characters of a body's text that the search index takes; a longer one is searched without it. */
  indexedText: 4_194_304,
  /** Bodies that the index is asked about at a time. */
  textQueryBodies: 5_000,
} as const;

/** UIDs and UIDVALIDITYs are nz-numbers of 32 bits (RFC 3501 §9). */
export const MAX_UID = 4_294_967_295;
