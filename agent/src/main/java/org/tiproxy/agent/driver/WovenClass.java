package org.tiproxy.agent.driver;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.FieldVisitor;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/** Copies a class of a driver; {@link HookCalls} go into some of its methods. Fields come before methods in a class file. */
final class WovenClass extends ClassVisitor {
    private final String internalName;
    private final List<WovenMethod> methods;
    private final Map<String, String> fields = new HashMap<>();
    private int version;
    private boolean woven;

    private WovenClass(ClassWriter copy, String internalName, List<WovenMethod> methods) {
        super(Opcodes.ASM9, copy);
        this.internalName = internalName;
        this.methods = methods;
    }

    /**
     * Weaves a class.
     *
     * @return null if it has none of the methods
     * @throws IllegalArgumentException if the class file is of a version that is not known
     */
    static byte @Nullable [] weave(List<WovenMethod> methods, byte[] classFile) {
        ClassReader reader = new ClassReader(classFile);
        ClassWriter copy = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
        WovenClass woven = new WovenClass(copy, reader.getClassName(), methods);
        reader.accept(woven, ClassReader.EXPAND_FRAMES);
        return woven.woven ? copy.toByteArray() : null;
    }

    String internalName() {
        return internalName;
    }

    /** Class files have them since Java 6. */
    boolean hasFrames() {
        return (version & 0xffff) >= Opcodes.V1_6;
    }

    String typeOfField(String name) {
        String descriptor = fields.get(name);
        if (descriptor == null) {
            throw new IllegalArgumentException("it has no field " + name);
        }
        return descriptor;
    }

    @Override
    public void visit(
            int classVersion,
            int access,
            String name,
            @Nullable String signature,
            @Nullable String superName,
            String @Nullable [] interfaces) {
        version = classVersion;
        super.visit(classVersion, access, name, signature, superName, interfaces);
    }

    @Override
    public FieldVisitor visitField(
            int access, String name, String descriptor, @Nullable String signature, @Nullable Object value) {
        fields.put(name, descriptor);
        return super.visitField(access, name, descriptor, signature, value);
    }

    @Override
    public MethodVisitor visitMethod(
            int access, String name, String descriptor, @Nullable String signature, String @Nullable [] exceptions) {
        MethodVisitor visitor = super.visitMethod(access, name, descriptor, signature, exceptions);
        if ((access & (Opcodes.ACC_ABSTRACT | Opcodes.ACC_NATIVE)) != 0) {
            return visitor;
        }
        WovenMethod.Signature found = WovenMethod.Signature.of(access, name, descriptor);
        for (WovenMethod method : methods) {
            if (method.method().test(found)) {
                woven = true;
                visitor = new HookCalls(visitor, this, found, method);
            }
        }
        return visitor;
    }
}
