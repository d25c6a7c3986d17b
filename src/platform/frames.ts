// Values over a byte stream: four octets of length, then the value in V8's serialisation. For the control socket, whose
// both ends are this program and this user; not a format for anybody else.

import { deserialize, serialize } from 'node:v8';

/** Octets of one value. A page of the queue is the largest; bodies do not travel here. */
export const MAX_FRAME = 8 * 1024 * 1024;

/** A frame that is too long or cannot be read: the connection is of no more use. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** One value as octets. @throws FrameError if it is too large or holds something that cannot be sent */
export function toFrame(value: unknown): Buffer {
  let content: Buffer;
  try {
    content = serialize(value);
  } catch (cause) {
    throw new FrameError('this value cannot be sent', { cause });
  }
  if (content.length > MAX_FRAME) throw new FrameError(`a value of ${content.length} octets is too large to send`);
  const frame = Buffer.allocUnsafe(4 + content.length);
  frame.writeUInt32BE(content.length);
  content.copy(frame, 4);
  return frame;
}

/** Takes octets as they come and calls back for each whole value. The function throws FrameError. */
export function frameReader(onValue: (value: unknown) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let held = 0;
  let wanted = 4;
  let inContent = false;
  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    while (held >= wanted) {
      const all = chunks.length === 1 ? (chunks[0] ?? chunk) : Buffer.concat(chunks, held);
      const part = all.subarray(0, wanted);
      chunks = [all.subarray(wanted)];
      held -= wanted;
      if (inContent) {
        wanted = 4;
        inContent = false;
        onValue(read(part));
      } else {
        wanted = part.readUInt32BE();
        inContent = true;
        if (wanted > MAX_FRAME) throw new FrameError(`a frame of ${wanted} octets is announced`);
      }
    }
  };
}

function read(content: Buffer): unknown {
  try {
    return deserialize(content);
  } catch (cause) {
    throw new FrameError('a frame that cannot be read', { cause });
  }
}
