'use strict'

/** What is not there is null, where the backend leaves it out. */
function publication({ topic, payload, qos, retain, tag = null }) {
  return { topic, payload, qos, retain, tag }
}

module.exports = { publication }
