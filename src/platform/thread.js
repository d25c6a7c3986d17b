// The door of a thread, as launch.js is the program's: plain JavaScript that turns the compile cache on, which threads do
// not inherit, before it runs the module that it is given. Without it every thread strips and compiles its sources anew.
import module from 'node:module';

module.enableCompileCache();
await import(process.argv[2]);
