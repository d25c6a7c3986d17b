// The form in which the store keeps addresses of accounts and looks for them.

/** SQLite compares without regard to case in ASCII alone. So any other address is kept in the form by which the directory
 * compares: two that are one there, as "josé" and "JOSÉ", would take each other's mail. */
export function comparable(address: string): string {
  return /^[ -~]*$/.test(address) ? address : address.normalize('NFC').toLowerCase();
}
