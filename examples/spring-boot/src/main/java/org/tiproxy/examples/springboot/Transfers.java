package org.tiproxy.examples.springboot;

import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.server.ResponseStatusException;

/** Moves money from one account to another: both change, or neither does. */
@Service
class Transfers {
    private final AccountRepository accounts;

    Transfers(AccountRepository accounts) {
        this.accounts = accounts;
    }

    /**
     * One transaction.
     *
     * @throws ResponseStatusException if there is no such account or not enough money; nothing has changed then
     */
    @Transactional
    public void transfer(Transfer transfer) {
        // The receiver first, and written: so that there is something to roll back.
        Account receiver = account(transfer.to());
        receiver.add(transfer.cents());
        accounts.saveAndFlush(receiver);
        Account sender = account(transfer.from());
        sender.add(-transfer.cents());
        accounts.saveAndFlush(sender);
        if (sender.getCents() < 0) {
            throw new ResponseStatusException(
                    HttpStatus.CONFLICT, "account " + transfer.from() + " has not enough money");
        }
    }

    private Account account(long id) {
        return accounts.findById(id)
                .orElseThrow(() -> new ResponseStatusException(HttpStatus.NOT_FOUND, "no account " + id));
    }
}
