using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Kernels.Repository.Tests;

/// <summary>
/// Who refers to whom within one assembly, read from its metadata and code: base types, interfaces, constraints, fields, signatures, locals and every token of
/// every method's body. Names in comments or strings do not count, and no reference escapes by another spelling.
/// </summary>
internal sealed class TypeReferences : ISignatureTypeProvider<int, object?>
{
    private static readonly Dictionary<ushort, OperandType> s_operands = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => unchecked((ushort)code.Value), code => code.OperandType);

    private readonly MetadataReader _metadata;
    private readonly PEReader _image;
    private HashSet<string> _found = [];

    private TypeReferences(PEReader image)
    {
        _image = image;
        _metadata = image.GetMetadataReader();
    }

    /// <summary>
    /// The outermost types of an assembly, each with the full names (without arity) of the outermost types that it refers to, of any assembly.
    /// </summary>
    public static Dictionary<string, HashSet<string>> Read(string path)
    {
        using var image = new PEReader(File.OpenRead(path));
        var reader = new TypeReferences(image);
        Dictionary<string, HashSet<string>> all = [];
        foreach (TypeDefinitionHandle handle in reader._metadata.TypeDefinitions)
        {
            string name = reader.NameOf(handle);
            if (!all.TryGetValue(name, out reader._found!))
                all[name] = reader._found = [];
            reader.Visit(reader._metadata.GetTypeDefinition(handle));
        }
        return all;
    }

    private void Visit(TypeDefinition type)
    {
        Visit(type.BaseType);
        foreach (InterfaceImplementationHandle handle in type.GetInterfaceImplementations())
            Visit(_metadata.GetInterfaceImplementation(handle).Interface);
        Visit(type.GetGenericParameters());
        foreach (FieldDefinitionHandle handle in type.GetFields())
            _metadata.GetFieldDefinition(handle).DecodeSignature(this, null);
        foreach (MethodDefinitionHandle handle in type.GetMethods())
            Visit(_metadata.GetMethodDefinition(handle));
    }

    private void Visit(GenericParameterHandleCollection parameters)
    {
        foreach (GenericParameterHandle handle in parameters)
        {
            foreach (GenericParameterConstraintHandle constraint in _metadata.GetGenericParameter(handle).GetConstraints())
                Visit(_metadata.GetGenericParameterConstraint(constraint).Type);
        }
    }

    private void Visit(MethodDefinition method)
    {
        method.DecodeSignature(this, null);
        Visit(method.GetGenericParameters());
        if (method.RelativeVirtualAddress == 0)
            return;
        MethodBodyBlock body = _image.GetMethodBody(method.RelativeVirtualAddress);
        if (!body.LocalSignature.IsNil)
            _metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(this, null);
        foreach (ExceptionRegion region in body.ExceptionRegions)
            Visit(region.CatchType);
        BlobReader code = body.GetILReader();
        while (code.RemainingBytes > 0)
            VisitInstruction(ref code);
    }

    private void VisitInstruction(ref BlobReader code)
    {
        const byte firstOfTwo = 0xFE;
        ushort value = code.ReadByte();
        if (value == firstOfTwo)
            value = (ushort)(value << 8 | code.ReadByte());
        switch (s_operands[value])
        {
            case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType or OperandType.InlineSig:
                Visit(MetadataTokens.EntityHandle(code.ReadInt32()));
                break;
            case OperandType.InlineSwitch:
                int targets = code.ReadInt32();
                code.Offset += targets * sizeof(int);
                break;
            case OperandType.InlineI8 or OperandType.InlineR:
                code.Offset += sizeof(long);
                break;
            case OperandType.InlineBrTarget or OperandType.InlineI or OperandType.InlineString or OperandType.ShortInlineR:
                code.Offset += sizeof(int);
                break;
            case OperandType.InlineVar:
                code.Offset += sizeof(short);
                break;
            case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                code.Offset += sizeof(byte);
                break;
        }
    }

    private void Visit(EntityHandle handle)
    {
        if (handle.IsNil)
            return;
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                _found.Add(NameOf((TypeDefinitionHandle)handle));
                break;
            case HandleKind.TypeReference:
                _found.Add(NameOf((TypeReferenceHandle)handle));
                break;
            case HandleKind.TypeSpecification:
                _metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null);
                break;
            case HandleKind.FieldDefinition:
                FieldDefinition field = _metadata.GetFieldDefinition((FieldDefinitionHandle)handle);
                Visit(field.GetDeclaringType());
                field.DecodeSignature(this, null);
                break;
            case HandleKind.MethodDefinition:
                MethodDefinition method = _metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                Visit(method.GetDeclaringType());
                method.DecodeSignature(this, null);
                break;
            case HandleKind.MemberReference:
                Visit(_metadata.GetMemberReference((MemberReferenceHandle)handle));
                break;
            case HandleKind.MethodSpecification:
                MethodSpecification specification = _metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                specification.DecodeSignature(this, null);
                Visit(specification.Method);
                break;
            case HandleKind.StandaloneSignature:
                _metadata.GetStandaloneSignature((StandaloneSignatureHandle)handle).DecodeMethodSignature(this, null);
                break;
        }
    }

    private void Visit(MemberReference member)
    {
        Visit(member.Parent);
        if (member.GetKind() == MemberReferenceKind.Method)
            member.DecodeMethodSignature(this, null);
        else
            member.DecodeFieldSignature(this, null);
    }

    private string NameOf(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _metadata.GetTypeDefinition(handle);
        while (!type.GetDeclaringType().IsNil)
            type = _metadata.GetTypeDefinition(type.GetDeclaringType());
        return Name(type.Namespace, type.Name);
    }

    private string NameOf(TypeReferenceHandle handle)
    {
        TypeReference type = _metadata.GetTypeReference(handle);
        while (type.ResolutionScope.Kind == HandleKind.TypeReference)
            type = _metadata.GetTypeReference((TypeReferenceHandle)type.ResolutionScope);
        return Name(type.Namespace, type.Name);
    }

    private string Name(StringHandle @namespace, StringHandle name) => $"{_metadata.GetString(@namespace)}.{_metadata.GetString(name).Split('`')[0]}";

    int ISignatureTypeProvider<int, object?>.GetFunctionPointerType(MethodSignature<int> signature) => 0;
    int ISignatureTypeProvider<int, object?>.GetGenericMethodParameter(object? context, int index) => 0;
    int ISignatureTypeProvider<int, object?>.GetGenericTypeParameter(object? context, int index) => 0;
    int ISignatureTypeProvider<int, object?>.GetModifiedType(int modifier, int unmodifiedType, bool isRequired) => 0;
    int ISignatureTypeProvider<int, object?>.GetPinnedType(int elementType) => 0;
    int IConstructedTypeProvider<int>.GetArrayType(int elementType, ArrayShape shape) => 0;
    int IConstructedTypeProvider<int>.GetByReferenceType(int elementType) => 0;
    int IConstructedTypeProvider<int>.GetGenericInstantiation(int genericType, ImmutableArray<int> typeArguments) => 0;
    int IConstructedTypeProvider<int>.GetPointerType(int elementType) => 0;
    int ISZArrayTypeProvider<int>.GetSZArrayType(int elementType) => 0;
    int ISimpleTypeProvider<int>.GetPrimitiveType(PrimitiveTypeCode typeCode) => 0;

    int ISimpleTypeProvider<int>.GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
    {
        _found.Add(NameOf(handle));
        return 0;
    }

    int ISimpleTypeProvider<int>.GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
    {
        _found.Add(NameOf(handle));
        return 0;
    }

    int ISignatureTypeProvider<int, object?>.GetTypeFromSpecification(MetadataReader reader, object? context, TypeSpecificationHandle handle, byte rawTypeKind)
    {
        reader.GetTypeSpecification(handle).DecodeSignature(this, context);
        return 0;
    }
}
