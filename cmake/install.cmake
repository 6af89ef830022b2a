# What `cmake --install` puts where, besides the program (src/host/cli) and the CUDA module (src/kernels/cuda): public headers,
# documents, manual page.
install(DIRECTORY include/rs DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
install(FILES README.md CHANGELOG.md LICENSE src/host/record/SCHEMA.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY experiments/ DESTINATION ${CMAKE_INSTALL_DATADIR}/resnet_study/experiments FILES_MATCHING PATTERN "*.yaml"
        PATTERN published EXCLUDE PATTERN results EXCLUDE)
install(DIRECTORY networks/ DESTINATION ${CMAKE_INSTALL_DATADIR}/resnet_study/networks FILES_MATCHING PATTERN "*.yaml")

# The manual page and bash's completion are made of the program's own --help, so they cannot say anything else.
function(rs_from_help script output destination)
  add_custom_command(
    OUTPUT ${PROJECT_BINARY_DIR}/${output}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/completions
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/${script} $<TARGET_FILE:resnet_study> > ${PROJECT_BINARY_DIR}/${output}
    DEPENDS resnet_study ${PROJECT_SOURCE_DIR}/scripts/${script}
    COMMENT "${output}")
  add_custom_target(rs_${script} ALL DEPENDS ${PROJECT_BINARY_DIR}/${output})
  install(FILES ${PROJECT_BINARY_DIR}/${output} DESTINATION ${destination})
endfunction()
rs_from_help(man_page.sh resnet_study.1 ${CMAKE_INSTALL_MANDIR}/man1)
rs_from_help(completion.sh completions/resnet_study ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
