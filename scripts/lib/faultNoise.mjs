// workerd reports on stderr what tests do on purpose: connections that the emulator drops (`lost` faults) and objects that
// the crash tests abort. Those reports are left out, so that one which nobody asked for is seen.

const ASKED_FOR = /^(uncaught exception; |exception = )(?=.*(Network connection lost\.|jsg\.Error: crash))/
const BELONGS = /^(stack: |\s+at (dropConnection|deliver|Object\.fetch) \(file:)/

/** Takes lines one by one and answers whether each is to be shown. */
export const createFaultFilter = () => {
  let isInside = false
  return (line) => {
    isInside = ASKED_FOR.test(line) || (isInside && BELONGS.test(line))
    return !isInside
  }
}
