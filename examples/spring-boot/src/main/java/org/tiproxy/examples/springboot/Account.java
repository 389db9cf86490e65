package org.tiproxy.examples.springboot;

import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import org.jspecify.annotations.Nullable;

/** Somebody's money, in cents. */
@Entity
public class Account {
    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    private @Nullable Long id;

    private String owner = "";
    private long cents;

    /** For Hibernate. */
    protected Account() {}

    Account(String owner, long cents) {
        this.owner = owner;
        this.cents = cents;
    }

    /** Null until it is stored. */
    public @Nullable Long getId() {
        return id;
    }

    public String getOwner() {
        return owner;
    }

    public long getCents() {
        return cents;
    }

    /** Adds to it, also what makes it negative: whether that may be is for the caller to say. */
    void add(long difference) {
        cents += difference;
    }
}
