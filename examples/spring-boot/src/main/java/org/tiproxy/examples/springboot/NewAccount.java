package org.tiproxy.examples.springboot;

/** What an account begins with. */
record NewAccount(String owner, long cents) {}
