/** The replayed day, as `npm start` plays it and the tests do. */
export { colours, plain } from './layout'
export { playDay } from './play'
export { openWorld } from './world'
