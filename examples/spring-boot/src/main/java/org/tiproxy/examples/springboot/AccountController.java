package org.tiproxy.examples.springboot;

import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** The accounts over HTTP. */
@RestController
class AccountController {
    private final AccountRepository accounts;
    private final Transfers transfers;

    AccountController(AccountRepository accounts, Transfers transfers) {
        this.accounts = accounts;
        this.transfers = transfers;
    }

    @GetMapping("/accounts")
    List<Account> list() {
        return accounts.findAllByOrderById();
    }

    @PostMapping("/accounts")
    @ResponseStatus(HttpStatus.CREATED)
    Account create(@RequestBody NewAccount account) {
        return accounts.save(new Account(account.owner(), account.cents()));
    }

    @PostMapping("/transfers")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void transfer(@RequestBody Transfer transfer) {
        transfers.transfer(transfer);
    }
}
