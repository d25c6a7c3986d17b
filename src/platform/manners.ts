// What a client may get wrong before it has to go, and whether it has said anything that could be understood.

export interface MannersLimits {
  /** Commands that cannot be understood, before the login in all, and one after another behind it. */
  readonly badCommandsBeforeLogin: number;
  readonly badCommands: number;
  readonly failedLogins: number;
}

export class Manners {
  /** A command has been understood: this is no wrong door. */
  spoken = false;
  readonly #limits: MannersLimits;
  #badCommands = 0;
  #failedLogins = 0;

  constructor(limits: MannersLimits) {
    this.#limits = limits;
  }

  /** The client has said nothing at all. */
  get silent(): boolean {
    return !this.spoken && this.#badCommands === 0;
  }

  /** A connection may last for months, with now and then a command that is not known here: whoever has logged in begins
   * anew. */
  understood(loggedIn: boolean): void {
    this.spoken = true;
    if (loggedIn) this.#badCommands = 0;
  }

  /** @returns whether it was one too many */
  misunderstood(loggedIn: boolean): boolean {
    this.#badCommands += 1;
    return this.#badCommands >= (loggedIn ? this.#limits.badCommands : this.#limits.badCommandsBeforeLogin);
  }

  /** @returns whether it was one too many */
  loginFailed(): boolean {
    this.#failedLogins += 1;
    return this.#failedLogins >= this.#limits.failedLogins;
  }
}
