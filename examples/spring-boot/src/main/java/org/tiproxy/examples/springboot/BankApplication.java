package org.tiproxy.examples.springboot;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** An ordinary Spring Boot application with its own connection pool. Knows nothing of tiproxy. */
@SpringBootApplication
public class BankApplication {
    public static void main(String[] arguments) {
        SpringApplication.run(BankApplication.class, arguments);
    }
}
