package org.tiproxy.examples.springboot;

import java.util.List;
import org.springframework.data.jpa.repository.JpaRepository;

interface AccountRepository extends JpaRepository<Account, Long> {
    List<Account> findAllByOrderById();
}
