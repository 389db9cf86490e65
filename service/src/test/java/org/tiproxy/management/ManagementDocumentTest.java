package org.tiproxy.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.session.EndReason;

class ManagementDocumentTest {
    @ParameterizedTest
    @ValueSource(classes = {ProxyMXBean.class, PoolMXBean.class, SupervisorMXBean.class, ServiceMXBean.class})
    void everyAttributeAndOperationIsDocumented(Class<?> bean) throws Exception {
        String type = bean.getSimpleName().replace("MXBean", "");
        String document = Files.readString(Path.of("MANAGEMENT.md"));
        int begin = document.indexOf("## `tiproxy:type=" + type);
        int end = document.indexOf("\n## ", begin + 1);
        String section = document.substring(begin, end < 0 ? document.length() : end);

        assertThat(Arrays.stream(bean.getMethods()).map(ManagementDocumentTest::documentedAs))
                .allSatisfy(name -> assertThat(section).contains(name));
    }

    @Test
    void everyReasonForWhichSessionsEndIsDocumented() throws Exception {
        String document = Files.readString(Path.of("MANAGEMENT.md"));

        assertThat(EndReason.values()).allSatisfy(reason -> assertThat(document).contains("`" + reason + "`"));
    }

    private static String documentedAs(Method method) {
        String name = method.getName();
        if (name.startsWith("get") || name.startsWith("set")) {
            return "`" + name.substring(3) + "`";
        }
        return name.startsWith("is") ? "`" + name.substring(2) + "`" : "`" + name + "(";
    }
}
