'use strict'

/** What the topics of a filter without `#` match in full (MQTT 5.0, 4.7). */
function topicPattern(filter) {
  // A wildcard in the first level does not match `$SYS` and the like.
  const start = filter.startsWith('+') ? '(?!\\$)' : ''
  const levels = filter
    .split('/')
    .map((level) => (level === '+' ? '[^/]*' : level.replace(/[.*?^${}()|[\]\\]/g, '\\$&')))
  return new RegExp(`^${start}${levels.join('/')}$`, 's')
}

/** Topics, some of them by filters. */
class Topics {
  #names
  #patterns

  constructor(filters) {
    const isName = (filter) => !filter.includes('+')
    this.#names = new Set(filters.filter(isName))
    this.#patterns = filters.filter((filter) => !isName(filter)).map(topicPattern)
  }

  has(topic) {
    if (typeof topic !== 'string') return false
    return this.#names.has(topic) || this.#patterns.some((pattern) => pattern.test(topic))
  }
}

module.exports = { Topics }
