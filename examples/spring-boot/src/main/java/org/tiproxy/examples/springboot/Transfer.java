package org.tiproxy.examples.springboot;

/** What shall be moved, from which account's id to which. */
record Transfer(long from, long to, long cents) {}
